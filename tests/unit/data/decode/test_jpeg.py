from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from resnext.data.decode import jpeg
from resnext.data.decode.jpeg import Box, coarsest_factor, decode_top

WIDTH, HEIGHT = 150, 133  # neither is a multiple of a block


def picture() -> Image.Image:
    """Colored noise over a gradient: every block differs from its neighbours."""
    generator = np.random.default_rng(0)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    smooth = np.stack([x, y, 255 - x], axis=2)
    noise = generator.integers(-40, 40, (HEIGHT, WIDTH, 3))
    return Image.fromarray(np.clip(smooth + noise, 0, 255).astype(np.uint8))


def saved(mode: str = "RGB", **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture().convert(mode).save(buffer, "JPEG", **{"quality": 90, **options})
    return buffer.getvalue()


def by_pillow(data: bytes, factor: int = 1) -> np.ndarray:
    image = Image.open(io.BytesIO(data))
    if factor > 1:
        image.draft(None, (WIDTH // factor, HEIGHT // factor))
    return np.asarray(image.convert("RGB"))


def top(data: bytes, bottom: int, factor: int = 1) -> np.ndarray:
    pixels = decode_top(data, (WIDTH, HEIGHT), bottom, factor)
    assert pixels is not None
    return pixels


@pytest.fixture(params=["simplejpeg", "Pillow"], autouse=True)
def decoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Every test runs with either decoder: they must agree in all."""
    if request.param == "Pillow":
        monkeypatch.setattr(jpeg, "simplejpeg", None)
    else:
        pytest.importorskip("simplejpeg")
    return str(request.param)


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("factor", jpeg.FACTORS)
@pytest.mark.parametrize("bottom", [1, 16, 17, 60, 116, 117, 132, HEIGHT])
def test_the_upper_rows_are_those_of_the_whole_image(
    subsampling: str, factor: int, bottom: int
) -> None:
    data = saved(subsampling=subsampling)
    pixels, whole = top(data, bottom, factor), by_pillow(data, factor)
    needed = -(-bottom // factor)
    assert pixels.shape[1] == whole.shape[1] == -(-WIDTH // factor)
    assert len(pixels) >= needed
    assert np.array_equal(pixels[:needed], whole[:needed])


@pytest.mark.parametrize("options", [{"restart_marker_rows": 1}, {"restart_marker_blocks": 3}])
def test_restart_markers_below_the_rows_are_passed_over(options: dict[str, Any]) -> None:
    data = saved(**options)
    assert np.array_equal(top(data, 40)[:40], by_pillow(data)[:40])
    assert len(top(data, 40)) < HEIGHT


def test_grey_files_are_cut_like_colored_ones() -> None:
    data = saved("L")
    assert len(top(data, 40)) == 48
    assert np.array_equal(top(data, 40)[:40], by_pillow(data)[:40])


def test_only_the_rows_of_blocks_down_to_the_crop_and_one_more_are_decoded() -> None:
    assert len(top(saved(subsampling="4:4:4"), 17)) == (3 + 1) * 8
    assert len(top(saved(subsampling="4:2:0"), 17)) == (2 + 1) * 16


def test_progressive_files_are_decoded_whole() -> None:
    data = saved(progressive=True)
    assert np.array_equal(top(data, 20), by_pillow(data))


def test_a_torn_file_is_refused_wherever_the_crop_ends() -> None:
    data = saved()
    for bottom in (1, 20, HEIGHT):
        assert decode_top(data[: len(data) * 3 // 4], (WIDTH, HEIGHT), bottom, 1) is None


def test_bytes_after_the_end_do_not_matter() -> None:
    data = saved() + b"\0" * 20
    assert np.array_equal(top(data, 20)[:20], by_pillow(data)[:20])
    assert len(top(data, 20)) < HEIGHT


@pytest.mark.slow
@given(positions=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=5))
@settings(max_examples=200, deadline=None)
def test_any_damage_gives_pixels_or_none(positions: list[tuple[int, int]]) -> None:
    data = bytearray(saved())
    for position, value in positions:
        data[position % 700] = value  # the headers: there a parser can stumble
    pixels = decode_top(bytes(data), (WIDTH, HEIGHT), 30, 1)
    assert pixels is None or pixels.dtype == np.uint8


@given(width=st.integers(1, 5000), height=st.integers(1, 5000), size_px=st.integers(1, 600))
def test_the_coarser_crop_is_no_smaller_than_the_output_and_no_factor_more_would_do(
    width: int, height: int, size_px: int
) -> None:
    factor = coarsest_factor(Box(0, 0, width, height), size_px)
    shortest = min(width, height)
    assert factor == 1 or shortest / factor >= size_px
    assert factor == 8 or shortest / (2 * factor) < size_px
