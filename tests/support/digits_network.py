"""A tiny random network for the digits, as a weight file and as a run."""

from pathlib import Path

import torch

from resnext.data.config import DataConfig
from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig
from resnext.model.create import create_model
from resnext.runs.config import TrainConfig
from resnext.runs.folder import write_config
from resnext.weights.own_file import save_weights

CONFIG = ResNeXtConfig(
    stem="cifar",
    blocks_per_stage=(1,),
    stage_widths=(16,),
    stem_width=8,
    cardinality=2,
    in_channels=1,
    num_classes=10,
)
CARD = ModelCard(
    data="digits",
    classes=tuple(str(digit) for digit in range(10)),
    image_size_px=8,
    resize_px=None,
    mean=(0.3,),
    std=(0.35,),
)


def save_network(path: Path) -> Path:
    """Write the weights, the same each time, and return where they are."""
    torch.manual_seed(0)
    save_weights(path, create_model(CONFIG), CONFIG, CARD)
    return path


def save_run(run: Path) -> Path:
    """Make a run folder with these weights, as training leaves it."""
    run.mkdir()
    save_network(run / "best.safetensors")
    write_config(run, TrainConfig(model=CONFIG, data=DataConfig(name="digits")))
    return run
