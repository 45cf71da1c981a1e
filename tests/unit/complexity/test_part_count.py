"""The count of registered parts, held against their modules and their execution."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import torch
from execution import kept_bytes, peak_bytes
from own_parts import page_files

import resnext
from resnext.complexity.budget import Budget
from resnext.complexity.flow import Flow, Map
from resnext.complexity.residual import run_bottleneck
from resnext.complexity.solve import solve_width
from resnext.complexity.verify import verify_count
from resnext.errors import ConfigError
from resnext.model.blocks import GroupedBottleneck
from resnext.model.config import ResNeXtConfig
from resnext.model.names import config_from
from resnext.model.parts import BlockPart
from resnext.model.plan import BlockPlan
from resnext.model.registry import register

__all__ = ["page_files"]

SMALL: dict[str, Any] = {"stage_widths": (16, 24), "stem_width": 8, "num_classes": 5}


@pytest.fixture(autouse=True)
def _load(page_files: Path) -> None:
    resnext.load_plugin(page_files / "se.py")
    resnext.load_plugin(page_files / "parts.py")


def random_config(draw: random.Random) -> ResNeXtConfig:
    config = config_from(
        "resnext_2-1_2x4d_cifar",
        block=draw.choice(["bottleneck", "se", {"name": "se", "reduction": 4}]),
        stem=draw.choice(["cifar", "deep"]),
        shortcut=draw.choice(["B", "averaged"]),
        preactivation=draw.random() < 0.4,
        ndim=draw.choice([1, 2, 3]),
        in_channels=draw.choice([1, 3]),
        **SMALL,
    )
    assert isinstance(config, ResNeXtConfig)
    return config


def test_random_networks_with_parts_cost_what_their_execution_costs() -> None:
    draw = random.Random(0)
    for _ in range(25):
        config = random_config(draw)
        verify_count(config, [draw.randint(7, 12) for _ in range(config.ndim)])


def test_the_memory_of_a_gate_is_that_of_its_execution() -> None:
    for changes in ({}, {"shortcut": "averaged"}, {"preactivation": True}):
        config = config_from("resnext_2-1_2x4d_cifar_se", **SMALL, **changes)
        cost = resnext.count(config, 8)
        with torch.device("meta"):
            model = resnext.create_model(config)
        assert peak_bytes(model.eval(), torch.empty(1, 3, 8, 8, device="meta")) == (
            cost.peak_activation_bytes
        )
        assert kept_bytes(model.train(), torch.empty(2, 3, 8, 8, device="meta")) == (
            cost.training_activation_bytes
        )


def test_the_solver_meets_a_budget_with_a_part() -> None:
    like = config_from("resnext29_8x64d_se")
    assert isinstance(like, ResNeXtConfig)
    for scope in ("block", "network"):
        budget = Budget.like(like, "params", scope)
        solution = solve_width(like, 8, budget)
        assert (solution.config, solution.deviation) == (like, 0.0)
        assert budget.cost_of(solution.config.replace(block="bottleneck")) < budget.target


def _wrong(count: Any) -> type[BlockPart]:
    class Wrong(BlockPart):
        def build(self, plan: BlockPlan, config: ResNeXtConfig) -> GroupedBottleneck:
            return GroupedBottleneck(plan, config)

    Wrong.count = count  # type: ignore[method-assign]
    Wrong.__abstractmethods__ = frozenset()
    return register("wrong")(Wrong)  # type: ignore[type-abstract]


def test_a_count_of_other_parameters_than_the_modules_is_refused() -> None:
    def count(_: Any, flow: Flow, name: str, x: Map, plan: BlockPlan, config: ResNeXtConfig) -> Map:
        return flow.norm(f"{name}.extra", run_bottleneck(flow, name, x, plan, config))

    _wrong(count)
    config = config_from("resnext_1_2x4d_cifar_wrong")
    with pytest.raises(ConfigError, match=r"'wrong': layer1.0 has .* but its count gives"):
        resnext.count(config, 8)


def test_a_count_that_leaves_another_map_is_refused() -> None:
    def count(_: Any, __: Flow, ___: str, x: Map, *____: Any) -> Map:
        return x

    _wrong(count)
    with pytest.raises(ConfigError, match=r"ends with a map of 64x8x8, but the block's is 256x8x8"):
        resnext.count("resnext_1_2x4d_cifar_wrong", 8)


def test_verify_tells_multiply_adds_that_are_not_executed() -> None:
    def count(_: Any, flow: Flow, name: str, x: Map, *others: Any) -> Map:
        first = len(flow.layers)
        y = run_bottleneck(flow, name, x, *others)
        row = flow.layers[first]
        flow.layers[first] = type(row)(**{**row.__dict__, "macs": row.macs + 1})
        return y

    _wrong(count)
    with pytest.raises(ConfigError, match="multiply-adds: counted"):
        verify_count("resnext_1_2x4d_cifar_wrong", 8)
