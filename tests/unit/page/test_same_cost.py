import contextlib

import pytest

from resnext.complexity.count import count
from resnext.complexity.paper import paper_width
from resnext.errors import ConfigError
from resnext.model.config import ResNeXtConfig
from resnext.page.same_cost import Question, find, tell
from resnext.page.settings_form import MAX_PATHS, named_network, num_paths


def question(like: str, by: str = "params", solve: str = "width", factor: float = 1) -> Question:
    return Question(named_network(like), by, solve, factor, 224)


@pytest.mark.parametrize("cardinality", [1, 2, 4, 8, 32])
def test_the_widths_of_the_paper_s_second_table_are_found(cardinality: int) -> None:
    base = named_network("resnet50").replace(cardinality=cardinality)
    found = find(base, question("resnet50", "macs")).config
    paper = paper_width(found, named_network("resnet50"), 1.0)
    assert paper is not None
    assert abs(found.bottleneck_width - paper.bottleneck_width) <= 1


@pytest.mark.parametrize("solve", ["width", "cardinality", "depth"])
@pytest.mark.parametrize("by", ["params", "macs", "activations"])
def test_no_neighbour_comes_closer(by: str, solve: str) -> None:
    asked = question("resnet101", by, solve)
    base = named_network("resnext50_32x4d")
    solution = find(base, asked)
    figure = {"params": "parameters"}.get(by, by)
    target = getattr(count(asked.like, 224), figure)
    config = solution.config
    longest = max(config.blocks_per_stage)
    for step in (-1, 1):
        options: dict[str, dict[str, object]] = {
            "width": {"bottleneck_width": config.bottleneck_width + step},
            "cardinality": {"cardinality": config.cardinality + step},
            "depth": {"blocks_per_stage": (3, 4, longest + step, 3)},
        }
        other = getattr(count(config.replace(**options[solve]), 224), figure)
        assert abs(other - target) >= abs(solution.cost - target)


def test_the_answer_says_what_was_found_and_how_close() -> None:
    asked = question("resnet50")
    text = tell(find(named_network("resnext50_32x4d"), asked), asked)
    share = 25_028_904 / 25_557_032 - 1
    assert "d = 4 at C = 32 gives 25,028,904 parameters" in text
    assert f"{share:+.2%} of resnet50" in text


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (question("resnet50", by="latency"), "cost to match: 'latency' is not a valid choice"),
        (question("resnet50", solve="form"), "dimension to change: 'form' is not a valid choice"),
        (question("resnet50", factor=0), "factor: 0"),
        (question("resnet50", factor=float("nan")), "factor: nan"),
        (question("resnet200", solve="depth", factor=1000), "within the limits of this page"),
    ],
)
def test_a_question_without_an_answer_says_why(asked: Question, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        find(named_network("resnext50_32x4d"), asked)


@pytest.mark.slow
@pytest.mark.parametrize("solve", ["width", "cardinality", "depth"])
def test_a_search_ends_at_the_paths_that_are_counted_one_by_one(
    solve: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[ResNeXtConfig] = []

    def noted(config: ResNeXtConfig) -> int:
        looked_at.append(config)
        return num_paths(config)

    monkeypatch.setattr("resnext.page.same_cost.num_paths", noted)
    base = named_network("resnext50_32x4d").replace(cardinality=600, form="a")
    with contextlib.suppress(ConfigError):  # by its width there is one
        find(base, question("resnet152", "macs", solve, factor=1000))
    assert len(looked_at) < 40
    counted = [num_paths(config) for config in looked_at]
    assert sum(number for number in counted if number <= 2 * MAX_PATHS) < 20 * MAX_PATHS
