import contextlib
import time
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from resnext.untrusted import parse
from resnext.untrusted.parse import MAX_YAML_BYTES, MAX_YAML_DEPTH, parse_yaml, read_yaml

_BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
_REFUSED = {
    "alias bomb": (_BOMB, "expands to more than"),
    "merge bomb": ("a: &a {x: [1]}\n" + f"b: [{','.join(['{<<: *a}'] * 9000)}]", "more than"),
    "deep flow": ("[" * 5000 + "]" * 5000, "levels deep"),
    "deep block": ("\n".join(" " * i + "a:" for i in range(1000)), "levels deep"),
    "many values": ("[" + "a," * 300_000 + "]", "more than 20,000 values"),
    "number as a key": ("1: 2", "the key '1' is not a text"),
    "null as a key": ("~: 2", "is not a text"),
    "list as a key": ("? [1, 2]\n: 3", "is not a text"),
    "key twice": ("a: 1\na: 2", "line 2, column 1: the key 'a' occurs twice"),
    "digits": ("a: " + "9" * 5000, "more than 100 digits"),
    "sexagesimal": ("a: " + ":".join(["59"] * 300_000), "more than 100 digits"),
    "hexadecimal": ("a: 0x" + "f" * 5000, "more than 100 digits"),
    "itself": ("&a [*a]", "refers to itself"),
    "object": ("!!python/object/apply:os.system ['x']", "could not determine a constructor"),
    "impossible date": ("!!timestamp 2024-02-31", "could not determine a constructor"),
    "set": ("!!set {a, b}", "could not determine a constructor"),
    "boolean": ("a: !!bool maybe", "does not fit its tag"),
    "integer": ("a: !!int ''", "does not fit its tag"),
    "float": ("a: !!float x", "does not fit its tag"),
    "control character": ("a: \x01", "is not valid YAML"),
    "surrogate": ("a: \ud800", "is not valid YAML"),
    "two documents": ("a\n---\nb", "is not valid YAML"),
    "large": (" " * (MAX_YAML_BYTES + 1), "is larger than"),
    "unfinished": ("a: [1", "is not valid YAML: line 1"),
}


@pytest.mark.slow
@pytest.mark.parametrize(("text", "reason"), _REFUSED.values(), ids=_REFUSED)
def test_hostile_yaml_is_refused_with_one_short_reason(text: str, reason: str) -> None:
    start = time.process_time()
    with pytest.raises(ValueError, match=r"\S") as caught:
        parse_yaml(text)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "<unicode string>" not in str(caught.value)  # the reader's name for what has none
    assert len(str(caught.value)) < 300
    assert time.process_time() - start < 20


@pytest.mark.parametrize("with_libyaml", [True, False])
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * (MAX_YAML_DEPTH + 1) + "]" * (MAX_YAML_DEPTH + 1), "levels deep"),
        ("[" + "a," * 101 + "]", "more than 100 values"),
        (_BOMB, "values"),
        ("a: 1\na: 2", "line 2, column 1: the key 'a' occurs twice"),
        ("a: [1", "line 1, column 6"),
        ("a: \ud800", "is not valid YAML"),
    ],
    ids=["depth", "number", "bomb", "key twice", "unfinished", "surrogate"],
)
def test_the_bounds_and_the_reasons_are_those_of_every_parser(
    text: str, reason: str, with_libyaml: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yaml.__with_libyaml__", with_libyaml)
    with pytest.raises(ValueError, match=r"\S") as caught:
        parse_yaml(text, 100)
    assert reason in str(caught.value)


def test_a_study_of_many_designs_is_parsed_by_the_fast_parser(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    design = {"label": "a", "model": {"blocks_per_stage": [1, 1], "cardinality": 2}, "row": ""}
    wanted = {"designs": [design | {"label": f"design {number}"} for number in range(200)]}
    text = yaml.safe_dump(wanted, sort_keys=False)
    if not yaml.__with_libyaml__:
        pytest.skip("this PyYAML was built without libyaml")
    slow = parse._loader(yaml.SafeLoader)
    monkeypatch.setattr(slow, "__init__", lambda *_: pytest.fail("the slow parser was used"))
    assert parse_yaml(text) == wanted


# Without "!", which libyaml takes for the tag of a text, as YAML 1.2 does, and Python's does not
_TEXTS = st.text(st.sampled_from("ab:-? [],{}&*|>'\"#%\n 12~.\t"), max_size=40)


@given(_TEXTS)
@settings(max_examples=300, deadline=None)
def test_both_parsers_read_the_same_values(text: str) -> None:
    """What libyaml refuses the other may accept, and is asked; what both accept is the same."""
    results = []
    for kind in (yaml.CSafeLoader, yaml.SafeLoader) if yaml.__with_libyaml__ else ():
        with contextlib.suppress(ValueError, yaml.YAMLError):
            results.append(repr(parse._parse_yaml(text, 100, parse._loader(kind))))
    assert len(set(results)) <= 1


def test_plain_values_are_read_as_yaml_means_them() -> None:
    text = "seed: 0\nlr: 1.0e-4\nlist: [1, 2.5, yes, null, '1']\ndate: 2024-02-31\n"
    assert parse_yaml(text) == {
        "seed": 0,
        "lr": 1e-4,
        "list": [1, 2.5, True, None, "1"],
        "date": "2024-02-31",
    }


def test_aliases_and_merges_of_a_usual_size_work() -> None:
    text = "a: &a {x: 1, y: 1}\nb: &b {<<: *a, x: 2}\nd: [*a, *a]"
    values = parse_yaml(text)
    assert values["b"] == {"x": 2, "y": 1}
    assert values["d"] == [values["a"]] * 2


def test_depth_up_to_the_bound_is_accepted() -> None:
    depth = MAX_YAML_DEPTH
    assert parse_yaml("[" * depth + "]" * depth) is not None


def test_a_device_or_pipe_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not a regular file"):
        read_yaml(Path("/dev/zero"))
    file = tmp_path / "binary.yaml"
    file.write_bytes(b"a: \xff")
    with pytest.raises(ValueError, match="not UTF-8 text"):
        read_yaml(file)


def test_a_file_with_a_byte_order_mark_has_the_same_values(tmp_path: Path) -> None:
    file = tmp_path / "notepad.yaml"
    file.write_text("a: 1\nb: [2]\n", encoding="utf-8-sig")
    assert read_yaml(file) == {"a": 1, "b": [2]}
