"""A small network for grey images, and images as their files hold them."""

import io

import numpy as np
import torch
from PIL import Image

from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig
from resnext.model.create import create_model
from resnext.model.trained import TrainedNetwork

CONFIG = ResNeXtConfig(
    stem="cifar",
    blocks_per_stage=(1, 1),
    stage_widths=(16, 24),
    stem_width=8,
    cardinality=2,
    in_channels=1,
    num_classes=7,
)
CARD = ModelCard(
    classes=("<b>zero</b>", *"123456"),
    image_size_px=16,
    resize_px=20,
    mean=(0.3,),
    std=(0.35,),
)


def small_network(config: ResNeXtConfig = CONFIG, card: ModelCard = CARD) -> TrainedNetwork:
    """Return it, the same each time, in evaluation mode."""
    torch.manual_seed(0)
    module = create_model(config).eval()
    return TrainedNetwork(module, config, card)


def image_file(width: int = 30, height: int = 24, kind: str = "PNG", seed: int = 0) -> bytes:
    """Return noise with a bright corner, as the bytes of a file."""
    pixels = np.random.default_rng(seed).integers(0, 120, (height, width, 3), dtype=np.uint8)
    pixels[: height // 2, : width // 2] += 130
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()
