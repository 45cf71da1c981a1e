"""Small trained-looking networks, made here."""

from pathlib import Path

import pytest
import torch

from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig
from resnext.model.create import create_model
from resnext.model.weights import save_weights


@pytest.fixture
def digits_file(tmp_path: Path) -> Path:
    """Weights of a tiny random network for the digits, with their card."""
    torch.manual_seed(0)
    config = ResNeXtConfig(
        stem="cifar",
        blocks_per_stage=(1,),
        stage_widths=(16,),
        stem_width=8,
        cardinality=2,
        in_channels=1,
        num_classes=10,
    )
    card = ModelCard(
        data="digits",
        classes=tuple(str(digit) for digit in range(10)),
        image_size_px=8,
        resize_px=None,
        mean=(0.3,),
        std=(0.35,),
    )
    path = tmp_path / "digits.safetensors"
    save_weights(path, create_model(config), config, card)
    return path
