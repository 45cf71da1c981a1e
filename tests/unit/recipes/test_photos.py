"""What the default recipe chooses for files."""

from pathlib import Path

import pytest

from resnext.data.config import DataConfig
from resnext.model.names import config_from
from resnext.recipes.photos import PhotoFacts
from resnext.recipes.presets import default_model, fast


@pytest.mark.parametrize(
    ("facts", "side", "model", "epochs"),
    [
        (PhotoFacts(108, 240, has_gpu=False), 128, "resnext_1-1-1-1_32x4d", 150),
        (PhotoFacts(3068, 160, has_gpu=False), 128, "resnext_1-1-1-1_32x4d", 30),
        (PhotoFacts(4500, 64, has_gpu=False), 64, "resnext_1-1-1-1_32x4d", 23),
        (PhotoFacts(45_000, 32, has_gpu=False), 32, "resnext_1-1-1_8x8d_cifar", 15),
        (PhotoFacts(200, 20, has_gpu=False), 32, "resnext_1-1-1_8x8d_cifar", 150),
        (PhotoFacts(3068, 500, has_gpu=True), 224, "resnext_2-2-2-2_32x4d", 30),
        (PhotoFacts(100_000, 500, has_gpu=True), 224, "resnext50_32x4d", 15),
        (PhotoFacts(3068, None, has_gpu=False), 128, "resnext_1-1-1-1_32x4d", 30),
    ],
)
def test_network_size_and_length_follow_the_images(
    facts: PhotoFacts, side: int, model: str, epochs: int
) -> None:
    data = DataConfig(name="folder", root=Path("photos"))
    assert default_model(data, facts) == model
    config = fast(config_from(model), data, facts)
    assert (config.data.image_size_px, config.schedule.epochs) == (side, epochs)
    assert (config.optim.kind, config.optim.clip_norm) == ("adamw", 1.0)
