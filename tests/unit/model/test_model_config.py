"""Contradictions in a config are refused with what to do instead."""

from typing import Any

import pytest

from resnext.errors import ConfigError
from resnext.model.config import ResNeXtConfig


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"blocks_per_stage": ()}, "blocks_per_stage"),
        ({"blocks_per_stage": (3, 0)}, "greater than 0"),
        ({"stage_widths": (1, 2)}, "give one width per stage"),
        ({"ndim": 4}, "ndim=4"),
        ({"in_channels": 0}, "in_channels=0"),
        ({"form": "d"}, "form='d'"),
        ({"shortcut": "D"}, "shortcut='D'"),
        ({"block": "basic"}, "only a wider dense block"),
        ({"block": "basic", "cardinality": 1, "form": "a"}, "use form='c'"),
        ({"shortcut": "A", "stem_width": 512}, "use shortcut='B'"),
    ],
)
def test_a_setting_that_cannot_work_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ResNeXtConfig(**settings)


@pytest.mark.parametrize(
    ("settings", "depth"),
    [
        ({}, 50),
        ({"blocks_per_stage": (3, 24, 36, 3)}, 200),
        ({"blocks_per_stage": (3, 3, 3), "stem": "cifar"}, 29),
        ({"blocks_per_stage": (2, 2, 2, 2), "block": "basic", "cardinality": 1}, 18),
    ],
)
def test_the_depth_counts_convolutions_and_the_classifier(
    settings: dict[str, Any], depth: int
) -> None:
    assert ResNeXtConfig(**settings).depth == depth


def test_a_config_survives_json() -> None:
    config = ResNeXtConfig(ndim=1, form="a", stage_widths=(8, 16, 16, 16))
    assert ResNeXtConfig.model_validate_json(config.model_dump_json()) == config
