"""The map of cardinality: equal multiply-adds, ratios to cardinality 1, and what is free."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from command import Command

from resnext.benchmark.cardinality_map import (
    FREE,
    CardinalityMap,
    MapRow,
    MapSetup,
    map_cardinality,
)
from resnext.benchmark.map_output import answer, as_csv, as_json, draw_map
from resnext.benchmark.ratio import Ratio
from resnext.complexity.count import count
from resnext.errors import ConfigError
from resnext.model.names import config_from

BASE = "resnet_1-1_cifar"
TIMES = (1.0, 0.9, 1.1)


def _ratio(median: float) -> Ratio:
    return Ratio(median, 0.9 * median, 1.1 * median, 9)


ROWS = [
    MapRow(1, 64, "channels_last", 100, TIMES, TIMES, _ratio(1.0), _ratio(1.2)),
    MapRow(1, 64, "contiguous", 100, TIMES, TIMES, _ratio(1.3), _ratio(1.0)),
    MapRow(2, 40, "channels_last", 101, TIMES, TIMES, _ratio(FREE), _ratio(1.5)),
    MapRow(2, 40, "contiguous", 101, TIMES, TIMES, _ratio(1.2), _ratio(1.4)),
    MapRow(32, 4, "channels_last", 99, TIMES, TIMES, _ratio(1.31), _ratio(2.0)),
    MapRow(32, 4, "contiguous", 99, TIMES, TIMES, _ratio(1.06), _ratio(0.8)),
]
FOUND = CardinalityMap(MapSetup(), ROWS, "a machine", "torch 1", ({}, {}))


def test_the_faster_layout_counts_and_decides_what_is_free() -> None:
    assert {c: ratio.median for c, ratio in FOUND.best("train").items()} == {
        1: 1.0,
        2: FREE,
        32: 1.06,
    }
    assert FOUND.free("train") == [2]
    assert FOUND.free("infer") == [32]
    training, doubt, inference = answer(FOUND)
    assert "C = 2, C = 32 includes 1.05" in doubt
    assert "free in a training step" in training
    assert training.endswith("C = 2; C = 32 costs most, 1.06 times C = 1")
    assert inference.endswith("C = 32; C = 2 costs most, 1.40 times C = 1")


def test_figures_are_written_and_drawn(tmp_path: Path) -> None:
    values = json.loads(as_json(FOUND))
    assert values["free"] == {"train": [2], "infer": [32]}
    assert len(as_csv(FOUND).strip().splitlines()) == len(values["rows"]) + 1 == len(ROWS) + 1
    draw_map(FOUND, tmp_path / "map.svg")
    text = (tmp_path / "map.svg").read_text()
    assert "a machine" in text or text.count("<path") > len(ROWS)


def test_all_networks_have_the_multiply_adds_of_the_base(command: Command, tmp_path: Path) -> None:
    csv = tmp_path / "map.csv"
    sizes = ("--batch", "2", "--size", "16", "--rounds", "2")
    said = command.prints("benchmark", "resnet_1-1_cifar", "--map", *sizes, "--csv", csv)
    assert "free in a training step" in " ".join(said.split())
    names, *lines = [line.split(",") for line in csv.read_text().strip().splitlines()]
    rows = [dict(zip(names, line, strict=True)) for line in lines]
    target = count(config_from(BASE), 16).macs
    for row in rows:
        step = 2 * target / int(row["group_width"])  # what one more channel may add
        assert abs(int(row["macs"]) - target) <= step
    assert {row["layout"] for row in rows} == {"channels_last", "contiguous"}
    plain = [float(row["train_ratio"]) for row in rows if row["cardinality"] == "1"]
    assert min(plain) == 1.0


@pytest.mark.parametrize("name", ["vgg16_bn", "resnet18"])
def test_a_base_without_cardinality_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="no cardinality to vary"):
        map_cardinality(replace(MapSetup(), base=name))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--runtime", "eager"), "--runtime"),
        (("--batch", "2", "4"), "--map takes a single value of batch"),
        (("--batch", "1"), "batch"),
        (("--device", "cuda"), "torch finds no GPU here"),
        (("--plot", "map.doc"), "the file name must end in"),
    ],
)
def test_wrong_flags_of_a_map_are_told(
    command: Command, flags: tuple[str, ...], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert message in command.refusal("benchmark", "--map", *flags)
