"""A run folder as training leaves it, with a tiny random network for the digits."""

from pathlib import Path

import torch

from resnext.data.config import DataConfig
from resnext.model.card import ModelCard
from resnext.model.create import create_model
from resnext.model.names import config_from
from resnext.runs.config import TrainConfig
from resnext.runs.folder import write_config
from resnext.weights.own_file import save_weights


def make_run(run: Path) -> Path:
    """Make the folder, the same each time, and return it."""
    run.mkdir()
    config = config_from("resnext11_2x4d", num_classes=10, in_channels=1)
    classes = tuple(str(digit) for digit in range(10))
    card = ModelCard(classes=classes, image_size_px=8, resize_px=None, mean=(0.3,), std=(0.35,))
    torch.manual_seed(0)
    save_weights(run / "best.safetensors", create_model(config), config, card)
    write_config(run, TrainConfig(model=config, data=DataConfig(name="digits")))
    return run
