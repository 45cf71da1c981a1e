"""The list of designs within a tolerance, against brute force."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resnext.complexity.budget import Budget, By, Scope
from resnext.complexity.pareto import CostSurface, designs_within, undercut_by_none
from resnext.errors import ConfigError
from resnext.model.config import ResNeXtConfig
from resnext.model.names import config_from

TINY = ResNeXtConfig(
    stem="cifar", blocks_per_stage=(1, 2), stem_width=8, stage_widths=(16, 32), num_classes=3
)
BYS: list[By] = ["params", "macs", "activations"]
SCOPES: list[Scope] = ["block", "network"]


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(by=st.sampled_from(BYS), scope=st.sampled_from(SCOPES), tolerance=st.floats(0, 0.3))
def test_the_list_holds_every_design_within_the_tolerance_and_no_other(
    by: By, scope: Scope, tolerance: float
) -> None:
    reference = TINY.replace(cardinality=3, bottleneck_width=4)
    budget = Budget.like(reference, by, scope, 4)
    expected = {
        (cardinality, width)
        for cardinality in range(1, 9)
        for width in range(1, 60)
        if abs(
            budget.cost_of(TINY.replace(cardinality=cardinality, bottleneck_width=width))
            - budget.target
        )
        <= tolerance * budget.target
    }
    found = designs_within(TINY, budget, tolerance, max_cardinality=8)
    pairs = [(s.config.cardinality, s.config.bottleneck_width) for s in found]
    assert pairs == sorted(expected)
    assert (3, 4) in pairs


def test_a_basic_block_and_a_negative_tolerance_are_refused() -> None:
    resnet18, resnet50 = config_from("resnet18"), config_from("resnet50")
    assert isinstance(resnet18, ResNeXtConfig)
    assert isinstance(resnet50, ResNeXtConfig)
    with pytest.raises(ConfigError, match="wider dense block"):
        designs_within(resnet18, Budget.like(resnet18), 0.1)
    with pytest.raises(ConfigError, match=r"tolerance=-0\.1"):
        designs_within(resnet50, Budget.like(resnet50), -0.1)


@settings(max_examples=40, deadline=None)
@given(
    by=st.sampled_from(BYS),
    form=st.sampled_from(["a", "b", "c"]),
    shortcut=st.sampled_from(["A", "B", "C", "none"]),
    preactivation=st.booleans(),
    even_stages=st.booleans(),
    point=st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 30)),
)
def test_interpolated_costs_are_the_counted_ones(
    by: By,
    form: str,
    shortcut: str,
    preactivation: bool,
    even_stages: bool,
    point: tuple[int, int, int],
) -> None:
    base = TINY.replace(
        form=form,
        shortcut=shortcut,
        preactivation=preactivation,
        blocks_per_stage=(2, 2) if even_stages else (1, 2),
    )
    surface = CostSurface(base, Budget(by, 1, "network", 6))
    design = surface.design(point)
    blocks, cardinality, width = point
    assert (design.cardinality, design.bottleneck_width) == (cardinality, width)
    assert design.blocks_per_stage == ((blocks,) * 2 if even_stages else (1, blocks))
    assert surface.cost(point) == surface.budget.cost_of(design)


def test_every_depth_within_the_tolerance_is_listed() -> None:
    reference = TINY.replace(cardinality=2, bottleneck_width=3)
    budget = Budget.like(reference, "macs", "network", 4)
    grid = itertools.product(range(1, 25), range(1, 9), range(1, 25))
    designs = [
        TINY.replace(blocks_per_stage=(1, n), cardinality=c, bottleneck_width=d)
        for n, c, d in grid
        if n * c * d < 60  # all that is affordable, and more
    ]
    expected = [
        design
        for design in designs
        if abs(budget.cost_of(design) - budget.target) <= 0.01 * budget.target
    ]
    found = designs_within(TINY, budget, 0.01, vary_depth=True)
    inside = [s.config for s in found if s.config in designs]
    assert sorted(inside, key=str) == sorted(expected, key=str)
    assert all(abs(solution.deviation) <= 0.01 for solution in found)
    assert len({solution.config.blocks_per_stage for solution in found}) > 2
    assert reference in [solution.config for solution in found]


def test_depth_cannot_vary_the_cost_of_a_block_and_endless_lists_are_refused() -> None:
    resnet29 = config_from("resnet29")
    assert isinstance(resnet29, ResNeXtConfig)
    with pytest.raises(ConfigError, match="count the whole network"):
        designs_within(TINY, Budget.like(TINY, "params", "block"), 0.1, vary_depth=True)
    with pytest.raises(ConfigError, match="more than 1,000 designs"):
        designs_within(resnet29, Budget.like(resnet29), 0.1, vary_depth=True)


def test_a_design_is_on_the_front_unless_another_is_cheaper_in_all() -> None:
    costs = [(1, 9), (2, 5), (2, 6), (3, 5), (4, 1), (4, 1)]
    assert undercut_by_none(costs) == [True, True, False, False, True, True]
