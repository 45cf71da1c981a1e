"""The table of speeds is whole, honest about what was measured, and covers every network."""

import pytest
from tiny_config import TINY

from resnext.model.config import BaselineConfig, ModelConfig
from resnext.model.names import config_from
from resnext.runs.config import RuntimeConfig
from resnext.training.speed_choice import SpeedChoice, eager_candidates, group_width
from resnext.training.speed_table import _table, look_up

OPEN = RuntimeConfig(layout="auto", merge_groups="auto")


@pytest.mark.parametrize("device", ["cpu", "cuda", "mps"])
@pytest.mark.parametrize("name", ["resnet50", "resnext50_32x4d", "resnext29_8x64d", "vgg16_bn"])
def test_every_network_finds_a_row(device: str, name: str) -> None:
    entry = look_up(device, config_from(name))
    assert isinstance(entry.choice, SpeedChoice)
    assert entry.source


def test_the_nearest_width_counts_and_dense_networks_have_their_own() -> None:
    rows = {row["group_width"]: row for row in _table()["cuda"]["rows"]}
    assert None in rows
    widest = max(width for width in rows if width)
    wide = config_from(f"resnext_2-2_2x{4 * widest}d")
    assert look_up("cuda", wide).choice.layout == rows[widest]["layout"]
    assert look_up("cuda", config_from("resnet50")).choice.layout == rows[None]["layout"]


def test_only_measured_devices_say_so() -> None:
    for device in _table().values():
        assert device["is_measured"] == ("not measured" not in device["source"])


@pytest.mark.parametrize(
    ("model", "width"),
    [
        (config_from("resnext50_32x4d"), 4),
        (config_from("resnet50"), None),
        (TINY.replace(form="b"), None),  # dense convolutions in form (b)
        (BaselineConfig(family="vgg16_bn"), None),
    ],
)
def test_the_width_is_that_of_the_first_stage(model: ModelConfig, width: int | None) -> None:
    assert group_width(model) == width


def test_merging_is_a_question_only_for_narrow_groups_on_a_cpu() -> None:
    def merges(name: str, device: str, *, compiles: bool = False) -> bool:
        runtime = OPEN.replace(compile=compiles)
        found = eager_candidates(runtime, config_from(name), device)
        return len({choice.merge_groups for choice in found}) > 1

    assert merges("resnext50_32x4d", "cpu")
    assert not merges("resnext50_32x4d", "cuda")
    assert not merges("resnext50_32x4d", "cpu", compiles=True)
    assert not merges("resnext29_8x64d", "cpu")
    assert not merges("resnet50", "cpu")


def test_volumes_have_one_layout() -> None:
    volumes = config_from("resnext50_32x4d").replace(ndim=3)
    assert {way.layout for way in eager_candidates(OPEN, volumes, "cpu")} == {"channels_last"}
