from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resnext.complexity.budget import Budget, By, Scope
from resnext.complexity.pareto import designs_within
from resnext.errors import ConfigError
from resnext.model.config import ResNeXtConfig
from resnext.model.names import config_from

TINY = ResNeXtConfig(
    stem="cifar", blocks_per_stage=(1, 2), stem_width=8, stage_widths=(16, 32), num_classes=3
)
BYS: list[By] = ["params", "macs", "activations"]
SCOPES: list[Scope] = ["block", "network"]


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
