"""The split of a folder without one: shares, stability, groups."""

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnext.data.sets.auto_split import choose_val
from resnext.errors import ConfigError


def _folder(counts: list[int]) -> tuple[list[str], np.ndarray]:
    names = [f"class{k}/{n}.jpg" for k, count in enumerate(counts) for n in range(count)]
    return names, np.repeat(np.arange(len(counts)), counts)


def _choose(counts: list[int], fraction: float = 0.1) -> tuple[list[str], set[str]]:
    names, targets_n = _folder(counts)
    in_val = choose_val(names, targets_n, len(counts), fraction)
    return names, {name for name, chosen in zip(names, in_val, strict=True) if chosen}


@given(st.lists(st.integers(1, 60), min_size=1, max_size=8), st.floats(0.01, 0.9))
def test_each_class_has_its_share_on_both_sides(counts: list[int], fraction: float) -> None:
    _, val = _choose(counts, fraction)
    found = Counter(int(name[5 : name.index("/")]) for name in val)
    for label, count in enumerate(counts):
        expected = min(max(1, round(count * fraction)), count - 1)
        assert found[label] == expected


def test_the_order_of_the_files_does_not_matter() -> None:
    names, targets_n = _folder([30, 12])
    order = list(range(len(names)))
    random.Random(0).shuffle(order)
    straight = choose_val(names, targets_n, 2, 0.2)
    shuffled = choose_val([names[i] for i in order], targets_n[order], 2, 0.2)
    assert np.array_equal(straight[order], shuffled)
    assert 0 < straight.sum() < len(names)


def test_a_file_that_comes_moves_at_most_one_other() -> None:
    _, before = _choose([100, 50])
    for count in range(101, 140):
        _, after = _choose([count, 50])
        assert len(before - after) <= 1
        assert len(after - before) <= 2  # the new file itself, or one that fills a larger share
        before = after


def test_related_images_stay_on_one_side_and_classes_are_on_both() -> None:
    names = [f"{label}/patient{p}_{n}.png" for label in "ab" for p in range(20) for n in range(5)]
    targets_n = np.array([0] * 100 + [1] * 100)
    in_val = choose_val(names, targets_n, 2, 0.2, r"patient\d+")
    sides: dict[str, set[bool]] = {}
    for name, chosen in zip(names, in_val.tolist(), strict=True):
        sides.setdefault(name.partition("/")[2].partition("_")[0], set()).add(chosen)
    assert all(len(side) == 1 for side in sides.values())
    assert in_val[:100].sum() == in_val[100:].sum() == 20


def test_a_class_of_related_images_only_is_for_training() -> None:
    names = [f"a/x_{n}.png" for n in range(6)] + [f"b/{n}.png" for n in range(6)]
    in_val = choose_val(names, np.array([0] * 6 + [1] * 6), 2, 0.3, r"x_")
    assert in_val[:6].sum() == 0
    assert in_val[6:].sum() == 2


def test_a_name_without_a_match_is_alone() -> None:
    names = [f"a/{n}.png" for n in range(10)]
    in_val = choose_val(names, np.zeros(10, dtype=np.int64), 1, 0.3, r"(patient)\d")
    assert in_val.sum() == 3


def test_a_pattern_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match=r"data\.group='\(' is not a regular expression"):
        choose_val(["a/0.png"], np.zeros(1, dtype=np.int64), 1, 0.1, "(")
