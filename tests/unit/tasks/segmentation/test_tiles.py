"""Large images in tiles: the classes of the whole image, in little memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from resnext.errors import ConfigError
from resnext.model.config import ResNeXtConfig, SegmenterConfig
from resnext.model.create import create_model
from resnext.tasks.segmentation.tiles import Tiling, classify_in_tiles

Array = np.ndarray[Any, np.dtype[Any]]


def as_scores(tile_hwc: Array) -> Array:
    """Scores whose best class is the value of the pixel."""
    scores: Array = (np.arange(256)[:, None, None] == tile_hwc[None, :, :, 0]).astype(np.float32)
    return scores


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    tile_px=st.integers(5, 40),
    margin_px=st.integers(0, 2),
    is_exact=st.booleans(),
)
def test_every_pixel_is_classified_once_in_its_place(
    height: int, width: int, tile_px: int, margin_px: int, is_exact: bool
) -> None:
    draw = np.random.default_rng(height * 100 + width)
    image = draw.integers(0, 256, (height, width, 1), dtype=np.uint8)
    sizes = set()

    def run(tile_hwc: Array) -> Array:
        sizes.add(tile_hwc.shape[:2])
        return as_scores(tile_hwc)

    found = classify_in_tiles(run, image, 256, Tiling(tile_px, margin_px, is_exact))
    assert found.dtype == np.uint8
    assert np.array_equal(found, image[:, :, 0])
    assert max(max(size) for size in sizes) <= tile_px
    assert not is_exact or sizes == {(tile_px, tile_px)}


def test_what_is_kept_has_the_margin_around_it() -> None:
    """Scores at the rim of a tile are wrong; none of them is taken but at the image's border."""
    margin, image = 8, np.full((100, 130, 1), 7, np.uint8)

    def run(tile_hwc: Array) -> Array:
        scores = as_scores(tile_hwc)
        scores[9, :margin] = scores[9, -margin:] = 2.0
        scores[9, :, :margin] = scores[9, :, -margin:] = 2.0
        return scores

    found = classify_in_tiles(run, image, 256, Tiling(48, margin))
    assert (found[margin:-margin, margin:-margin] == 7).all()
    assert (found[:margin] == 9).all()


def fcn(stem: str) -> torch.nn.Module:
    torch.manual_seed(0)
    backbone = ResNeXtConfig(
        blocks_per_stage=(1, 1, 1),
        stage_widths=(8, 16, 24),
        stem_width=8,
        cardinality=2,
        num_classes=0,
        stem=stem,
    )
    return create_model(SegmenterConfig(family="fcn", backbone=backbone, num_classes=6)).eval()


@pytest.mark.slow
@pytest.mark.parametrize(("stem", "margin"), [("cifar", 32), ("imagenet", 96)])
def test_a_fully_convolutional_network_gives_what_it_gives_for_the_whole(
    stem: str, margin: int
) -> None:
    """Three blocks at strides up to 4 or 16 and a 3x3 see less than the margin around them."""
    network = fcn(stem)
    sides = (4 * margin, 6 * margin)
    image = np.random.default_rng(0).integers(0, 256, (*sides, 3), dtype=np.uint8)

    def scores(tile_hwc: Array) -> Array:
        with torch.no_grad():
            images = torch.from_numpy(tile_hwc.copy()).permute(2, 0, 1)[None] / 255
            found: Array = network(images)[0].double().numpy()
        return found

    means = scores(image).mean(axis=(1, 2), keepdims=True)  # else one class is best everywhere

    def run(tile_hwc: Array) -> Array:
        found: Array = scores(tile_hwc) - means
        return found

    wanted = run(image)
    best = np.sort(wanted, axis=0)
    is_clear = best[-1] - best[-2] > 1e-5  # elsewhere rounding decides
    found = classify_in_tiles(run, image, 6, Tiling(2 * margin + 64, margin))
    assert is_clear.mean() > 0.99
    assert np.array_equal(found[is_clear], wanted.argmax(axis=0)[is_clear])
    assert len(np.unique(found)) > 2
    narrow = classify_in_tiles(run, image, 6, Tiling(64, 0))
    assert not np.array_equal(narrow[is_clear], wanted.argmax(axis=0)[is_clear])


def test_a_tile_without_a_middle_is_refused() -> None:
    with pytest.raises(ConfigError, match="larger than its two margins"):
        Tiling(64, 32)
