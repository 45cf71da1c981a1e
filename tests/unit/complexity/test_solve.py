"""The solver against brute force, and against the paper's own designs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resnext.complexity.budget import Budget, By
from resnext.complexity.solve import (
    equal_cost_family,
    solve_cardinality,
    solve_depth,
    solve_multiplier,
    solve_width,
)
from resnext.errors import ConfigError
from resnext.model.config import ResNeXtConfig
from resnext.model.names import config_from


def network(name: str, **changes: object) -> ResNeXtConfig:
    config = config_from(name, **changes)
    assert isinstance(config, ResNeXtConfig)
    return config


BYS: list[By] = ["params", "macs", "activations"]
COSTS = st.sampled_from(BYS)
TINY = network("resnext_1-2_2x4d_cifar", stem_width=8, stage_widths=(16, 32), num_classes=3)


def test_table_2_comes_out() -> None:
    resnet = network("resnet50")
    family = equal_cost_family(resnet, (1, 2, 4, 8, 32), Budget.like(resnet, "params", "block"))
    assert [solution.config.bottleneck_width for solution in family] == [64, 40, 24, 14, 4]
    assert family[0].cost == 256 * 64 + 9 * 64 * 64 + 64 * 256
    assert all(abs(solution.deviation) < 0.03 for solution in family)


@pytest.mark.parametrize(
    ("name", "like"), [("resnet101_1x100d", "resnet101"), ("resnext101_64x4d", "resnext101_32x4d")]
)
def test_the_paper_s_doubled_networks_lie_next_to_the_exact_ones(name: str, like: str) -> None:
    paper = network(name)
    budget = Budget.like(network(like), "macs", "network", factor=2.0)
    exact = solve_width(paper, paper.cardinality, budget)
    width = exact.config.bottleneck_width
    assert abs(width - paper.bottleneck_width) <= 0.06 * width


def test_two_hundred_layers_double_the_cost_of_one_hundred() -> None:
    cost = Budget("macs", 0).cost_of
    assert cost(network("resnet200")) == pytest.approx(2 * cost(network("resnet101")), rel=0.05)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(by=COSTS, cardinality=st.integers(1, 6), target=st.integers(1, 60_000))
def test_no_other_width_is_closer(by: By, cardinality: int, target: int) -> None:
    for scope in ("block", "network"):
        budget = Budget(by, target, scope, 4)
        solution = solve_width(TINY, cardinality, budget)
        others = [
            budget.cost_of(TINY.replace(cardinality=cardinality, bottleneck_width=width))
            for width in range(1, solution.config.bottleneck_width + 3)
        ]
        assert solution.cost == budget.cost_of(solution.config)
        assert abs(solution.cost - target) == min(abs(cost - target) for cost in others)


@settings(max_examples=25, deadline=None)
@given(by=COSTS, width=st.integers(1, 9), target=st.integers(1, 60_000))
def test_no_other_cardinality_is_closer(by: By, width: int, target: int) -> None:
    budget = Budget(by, target, "network", 4)
    solution = solve_cardinality(TINY, width, budget)
    others = [
        budget.cost_of(TINY.replace(cardinality=c, bottleneck_width=width))
        for c in range(1, solution.config.cardinality + 3)
    ]
    assert abs(solution.cost - target) == min(abs(cost - target) for cost in others)


def test_of_two_widths_as_near_the_cheaper_is_taken() -> None:
    cost = Budget("activations", 0, "block").cost_of
    low, high = (TINY.replace(cardinality=1, bottleneck_width=width) for width in (5, 6))
    middle = Budget("activations", (cost(low) + cost(high)) // 2, "block")
    assert solve_width(TINY, 1, middle).config == low


def test_the_longest_stage_grows_with_depth_and_equal_stages_grow_together() -> None:
    for like, deep in (("resnet50", "resnet101"), ("resnet29", "resnet56")):
        budget = Budget.like(network(deep, stem=network(like).stem), "macs")
        assert solve_depth(network(like), budget).config.blocks_per_stage == (
            network(deep).blocks_per_stage
        )


def test_block_by_block_comes_as_close_as_one_block_allows() -> None:
    base = network("resnet11")
    budget = Budget.like(base, "macs", factor=2.0)
    coarse, fine = (solve_depth(base, budget, block_by_block=b) for b in (False, True))
    stages = fine.config.blocks_per_stage
    assert max(stages) - min(stages) <= 1
    assert stages[1] == max(stages)
    assert abs(fine.deviation) < abs(coarse.deviation)


@pytest.mark.parametrize("by", BYS)
def test_the_multiplier_scales_all_widths_and_finds_itself(by: By) -> None:
    base = network("resnext29_8x64d")
    half = base.replace(stem_width=32, stage_widths=(128, 256, 512), bottleneck_width=32)
    assert solve_multiplier(base, Budget.like(half, by)).config == half


def test_multiplied_widths_are_multiples_of_what_is_asked_for() -> None:
    base = network("resnext29_8x64d")
    solution = solve_multiplier(base, Budget.like(base, "macs", factor=0.4), multiple_of=8)
    assert all(width % 8 == 0 for width in solution.config.stage_widths)
    assert abs(solution.deviation) < 0.05


def test_a_budget_below_the_smallest_design_gives_the_smallest() -> None:
    solution = solve_width(network("resnet50"), 32, Budget("params", 1000, "block"))
    assert solution.config.bottleneck_width == 1
    assert solution.deviation > 1


def test_paths_of_a_basic_block_are_refused_with_the_paper_s_reason() -> None:
    budget = Budget.like(network("resnet18"))
    with pytest.raises(ConfigError, match="wider dense block"):
        solve_width(network("resnet18"), 2, budget)
    with pytest.raises(ConfigError, match="wider dense block"):
        solve_cardinality(network("resnet18"), 4, budget)


def test_depth_cannot_meet_the_budget_of_one_block() -> None:
    base = network("resnet50")
    with pytest.raises(ConfigError, match="count the whole network"):
        solve_depth(base, Budget.like(base, "params", "block"))
