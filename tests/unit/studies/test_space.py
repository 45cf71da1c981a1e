from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

import resnext
from resnext.errors import ConfigError
from resnext.model.config import ResNeXtConfig
from resnext.studies.space import RandomSpace, Space, expand


def space(**values: Any) -> Space:
    return TypeAdapter(Space).validate_python(values)


def model(config: object) -> ResNeXtConfig:
    assert isinstance(config, ResNeXtConfig)
    return config


def test_a_list_takes_names_and_names_with_changes() -> None:
    changed = {"name": "resnext29_8x64d", "stem_width": 16, "label": "thin stem"}
    designs = expand(space(kind="list", networks=["resnet29", changed, "vgg16"]))
    assert [design.label for design in designs] == ["resnet29", "thin stem", "vgg16"]
    assert model(designs[1].model).stem_width == 16


def test_a_grid_holds_every_combination_once() -> None:
    vary = {"cardinality": [1, 8], "bottleneck_width": [4, 16], "shortcut": ["B", "none"]}
    designs = expand(space(kind="grid", base="resnet29", vary=vary))
    assert len({design.label for design in designs}) == len(designs) == 8
    assert designs[0].label == "1x4d, shortcut=B"
    found = {(model(d.model).template, model(d.model).shortcut) for d in designs}
    templates = ("1x4d", "1x16d", "8x4d", "8x16d")
    assert found == {(t, shortcut) for t in templates for shortcut in ("B", "none")}


def test_an_equal_cost_family_is_the_paper_s_table_2() -> None:
    designs = expand(space(kind="equal_cost", like="resnet50", cardinality=[1, 2, 4, 8, 32]))
    assert [design.label for design in designs] == ["1x64d", "2x40d", "4x24d", "8x14d", "32x4d"]


def test_random_designs_differ_lie_in_the_window_and_are_the_same_each_time() -> None:
    drawn = RandomSpace(kind="random", base="resnet29", num=12, window=(0.5, 2.0))
    first, second = expand(drawn), expand(drawn)
    target = resnext.count("resnet29").macs
    assert first == second
    assert len({design.label for design in first}) == 12
    for design in first:
        assert 0.5 * target <= resnext.count(design.model).macs <= 2.0 * target
    assert expand(drawn.replace(seed=1)) != first


@pytest.mark.slow
def test_a_window_that_no_design_meets_is_refused() -> None:
    empty = space(kind="random", base="resnet29", num=3, window=(1e-6, 2e-6))
    with pytest.raises(ConfigError, match="only 0 of 3 designs are within"):
        expand(empty)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "list", "networks": []}, "networks"),
        ({"kind": "list", "networks": [{"stem": "cifar", "depth": 3}]}, "has no name"),
        ({"kind": "grid", "base": "vgg16", "vary": {"cardinality": [1]}}, "no cardinality to vary"),
        ({"kind": "grid", "base": "resnet50", "vary": {"cardinalty": [1]}}, "cardinality"),
        ({"kind": "random", "base": "resnet29", "window": [2.0, 1.0]}, "lowest, highest"),
    ],
)
def test_a_wrong_space_is_refused_with_the_reason(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        expand(space(**values))


def test_a_family_of_equal_cost_is_of_equal_cost() -> None:
    with pytest.raises(ConfigError, match="cardinality 500: the closest design, 500x1d, costs"):
        expand(space(kind="equal_cost", like="resnet50", cardinality=[1, 500]))
