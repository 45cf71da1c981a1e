"""A mean and a standard deviation on the wrong scale are refused wherever they come from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command import Command

from resnext.data.config import DataConfig
from resnext.errors import CheckpointError, ConfigError
from resnext.model.card import ModelCard, card_from
from resnext.model.config import ResNeXtConfig
from resnext.runtimes.spec import read_description
from resnext.weights.hub_card import card_from_hub

PIXEL_MEAN, PIXEL_STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
BAD = [
    ("mean", PIXEL_MEAN, r"divide by 255: mean=\[0\.485, 0\.456, 0\.406\]"),
    ("std", PIXEL_STD, r"divide by 255: std=\[0\.229, 0\.224, 0\.225\]"),
    ("mean", (-0.1, 0.5, 0.5), "must be in 0..1"),
    ("mean", (0.5, 1.2e5, 0.5), "must be in 0..1"),
    ("std", (-0.2, 0.2, 0.2), "0.001 to 1"),
    ("std", (0.2, 0.0, 0.2), "for a constant channel give 1"),
    ("std", (0.2, 1e-12, 0.2), "for a constant channel give 1"),
    ("std", (0.2, 1e5, 0.2), "0.001 to 1$"),
]
EXTREME = {"mean": (0.0, 1.0, 0.5), "std": (1 / 255, 1.0, 0.5)}


@pytest.mark.parametrize(("name", "values", "message"), BAD)
@pytest.mark.parametrize("owner", [DataConfig, ModelCard])
def test_settings_and_cards_refuse_it(
    owner: Callable[..., Any], name: str, values: tuple[float, ...], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        owner(**{name: values})


@pytest.mark.parametrize("owner", [DataConfig, ModelCard])
def test_what_networks_use_is_accepted(owner: Callable[..., Any]) -> None:
    assert owner(**EXTREME).std == EXTREME["std"]


@pytest.mark.parametrize(("name", "values", "message"), BAD)
def test_a_config_of_the_hub_is_refused(
    name: str, values: tuple[float, ...], message: str, tmp_path: Path
) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"pretrained_cfg": {name: values}}))
    with pytest.raises(CheckpointError, match=message.rstrip("$")):
        card_from_hub(file)


@pytest.mark.parametrize(("name", "values", "message"), BAD)
def test_the_description_of_an_exported_file_is_refused(
    name: str, values: tuple[float, ...], message: str
) -> None:
    config = ResNeXtConfig()
    card = {**ModelCard().model_dump(mode="json"), name: values}
    with pytest.raises(ConfigError, match=message):
        card_from(card, config)
    parts = {
        "config": config.model_dump(mode="json"),
        "card": card,
        "spec": {"format": "onnx", "size_px": 224},
    }
    with pytest.raises(CheckpointError, match=message.rstrip("$")):
        read_description(Path("x.onnx"), json.dumps(parts))


@pytest.mark.parametrize(
    "setting", ["data.mean=[33]", "data.std=[-0.3]", "data.std=[0]", "data.std=[1e-30]"]
)
def test_training_does_not_begin(setting: str, tmp_path: Path, command: Command) -> None:
    run = tmp_path / "run"
    command.refusal("train", "--data", "digits", "--out", run, "--set", setting)
    assert not run.exists()
