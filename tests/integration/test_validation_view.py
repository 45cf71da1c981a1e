"""Validation shows files at the scale that training showed them at."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from runs import small_run
from tiny_config import TINY

from resnext.data.augment.config import AugmentConfig
from resnext.data.config import DataConfig, ViewConfig
from resnext.evaluation.run import evaluate_run
from resnext.training.display import Display
from resnext.training.target import RunTarget
from resnext.training.train import train
from resnext.weights.own_file import read_weights

RESIZED = AugmentConfig(crop="resized")
CASES = [
    (AugmentConfig(crop="pad", pad_px=2), ViewConfig(), 28),
    (AugmentConfig(crop="none"), ViewConfig(), 28),
    (AugmentConfig(crop="none"), ViewConfig(size_px=35), 35),
    (AugmentConfig(crop="none"), ViewConfig(resize_px=30), 30),
    (AugmentConfig(crop="none"), ViewConfig(ten_crop=True), 32),
    (RESIZED, ViewConfig(), 32),
    (RESIZED, ViewConfig(resize_px=28), 28),
]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two classes of eight noisy images of 40 x 30 pixels."""
    root = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(0)
    for split in ("train", "val"):
        for name in ("dark", "light"):
            folder = root / split / name
            folder.mkdir(parents=True)
            low = 0 if name == "dark" else 128
            for number in range(8):
                pixels = rng.integers(low, low + 128, (30, 40, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.png")
    return root


@pytest.mark.parametrize(("augment", "view", "resize_px"), CASES)
def test_only_resized_crops_are_judged_on_enlarged_images(
    photos: Path, tmp_path: Path, augment: AugmentConfig, view: ViewConfig, resize_px: int
) -> None:
    config = small_run(
        data=DataConfig(name="folder", root=photos, image_size_px=28, workers=0),
        model=TINY,
        augment=augment,
        view=view,
        schedule={"kind": "cosine", "epochs": 1},
        batch_size=8,
    )
    run = train(config, RunTarget(out=tmp_path / "run"), Display("quiet"))
    card = read_weights(run / "best.safetensors")[2]
    assert card.resize_px == resize_px
    assert evaluate_run(run)["view"]["resize_px"] == resize_px
