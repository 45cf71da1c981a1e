"""Outlines of objects: read, packed, and drawn as masks."""

from __future__ import annotations

import tracemalloc

import numpy as np
import numpy.typing as npt
import pytest

from resnext.data.boxes.polygons import (
    PackedOutlines,
    draw_masks,
    draw_masks_at,
    is_too_long,
    read_outline,
)

SQUARE = [2, 1, 6, 1, 6, 4, 2, 4]
TRIANGLE = [0, 0, 8, 0, 0, 8]


def fill_whole_image(
    points_p2: npt.NDArray[np.float32], height: int, width: int
) -> npt.NDArray[np.int64]:
    """Fill a polygon in the plainest way: count the edges to the left of every pixel's centre."""
    points_p2 = points_p2.astype(np.float64)
    (x_p, y_p), (next_x_p, next_y_p) = points_p2.T, np.roll(points_p2, -1, axis=0).T
    centres_h = np.arange(height) + 0.5
    edges, rows = np.nonzero((y_p[:, None] <= centres_h) != (next_y_p[:, None] <= centres_h))
    shares = (centres_h[rows] - y_p[edges]) / (next_y_p - y_p)[edges]
    places = x_p[edges] + shares * (next_x_p - x_p)[edges]
    columns = np.clip(np.ceil(places - 0.5), 0, width).astype(np.int64)
    num_passed_hw = np.zeros((height, width + 1), dtype=np.int64)
    np.add.at(num_passed_hw, (rows, columns), 1)
    return num_passed_hw.cumsum(axis=1)[:, :width] % 2


def draw_points(random: np.random.Generator, scale: float) -> npt.NDArray[np.float32]:
    """Return a polygon of which a part may be outside an image; some points lie on centres."""
    points_p2 = random.uniform(-0.5, 1.3, (random.integers(3, 30), 2)) * scale
    if random.random() < 0.3:
        points_p2 = np.round(2 * points_p2) / 2
    return points_p2.astype(np.float32)


def zigzag(num: int, height: float, width: float) -> npt.NDArray[np.float32]:
    points_p2 = np.zeros((num, 2), dtype=np.float32)
    points_p2[:, 0] = np.linspace(0, width, num)
    points_p2[1::2, 1] = height
    return points_p2


def test_a_rectangle_covers_the_pixels_of_its_box() -> None:
    (mask_hw,) = draw_masks([read_outline([SQUARE])], 6, 8)
    wanted = np.zeros((6, 8), dtype=np.uint8)
    wanted[1:4, 2:6] = 1
    assert mask_hw.tolist() == wanted.tolist()


def test_a_triangle_covers_the_pixels_whose_centres_it_holds() -> None:
    (mask_hw,) = draw_masks([read_outline([TRIANGLE])], 10, 10)
    rows, columns = np.mgrid[:10, :10] + 0.5
    assert mask_hw.tolist() == (rows + columns < 8).astype(int).tolist()


def test_what_lies_outside_the_image_is_left_out() -> None:
    (mask_hw,) = draw_masks([read_outline([[-3, -3, 20, -3, 20, 3, -3, 3]])], 6, 8)
    assert mask_hw[:3].all()
    assert not mask_hw[3:].any()


def test_the_parts_of_an_object_are_one_mask_and_unknown_outlines_none() -> None:
    parts = read_outline([SQUARE, [0, 4, 1, 4, 1, 6, 0, 6]])
    joined, first, nothing = draw_masks([parts, parts[:1], ()], 6, 8)
    assert joined.sum() > first.sum()
    assert not nothing.any()


def test_packed_outlines_are_the_same() -> None:
    outlines = [(), read_outline([SQUARE, TRIANGLE]), (), read_outline([TRIANGLE])]
    packed = PackedOutlines.pack(outlines)
    for number, outline in enumerate(outlines):
        found = packed[number]
        assert len(found) == len(outline)
        assert all(np.array_equal(one, two) for one, two in zip(found, outline, strict=True))


@pytest.mark.parametrize(
    "value",
    [
        None,
        {"counts": "abc", "size": [4, 4]},
        [[1, 2, 3, 4]],
        [[1, 2, 3, 4, 5, 6, 7]],
        [[1, 2, 3, 4, 5, "6"]],
        [[1, 2, 3, 4, 5, float("nan")]],
        [[1, 2, 3, 4, 5, True]],
        "x",
    ],
)
def test_what_is_no_polygon_is_no_outline(value: object) -> None:
    assert read_outline(value) == ()


@pytest.mark.parametrize("scale", [3, 12, 40, 1e4, 2**23])
def test_filling_around_a_polygon_equals_filling_the_whole_image(scale: float) -> None:
    random = np.random.default_rng(int(scale))
    for _ in range(100):
        height, width = map(int, random.integers(1, 40, 2))
        parts = [draw_points(random, scale) for _ in range(random.integers(1, 3))]
        filled = [fill_whole_image(part, height, width) for part in parts]
        wanted = np.stack(filled).max(axis=0)
        (mask_hw,) = draw_masks([tuple(parts)], height, width)
        np.testing.assert_array_equal(mask_hw, wanted)
        rows = np.sort(random.integers(0, height, random.integers(1, 60)))
        columns = np.sort(random.integers(0, width, random.integers(1, 60)))
        for chosen in (columns, columns[::-1]):
            (part_hw,) = draw_masks_at([tuple(parts)], rows, chosen)
            np.testing.assert_array_equal(part_hw, wanted[rows][:, chosen])


def test_drawing_takes_no_memory_for_every_row_of_every_edge() -> None:
    points_p2 = zigzag(20_000, 480, 600)
    tracemalloc.start()
    draw_masks([(points_p2,)], 480, 640)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 * 2**20


def test_many_short_edges_are_filled_in_several_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resnext.data.boxes.polygons._CROSSINGS_AT_ONCE", 7)
    points_p2 = zigzag(50, 30, 40)
    (mask_hw,) = draw_masks([(points_p2,)], 32, 48)
    np.testing.assert_array_equal(mask_hw, fill_whole_image(points_p2, 32, 48))


def test_an_outline_longer_than_any_objects_is_too_long() -> None:
    comb = zigzag(640, 480, 640)  # passes every pixel
    assert not is_too_long((comb,), 480, 640)
    assert is_too_long((comb,) * 5, 480, 640)
    assert is_too_long((zigzag(10_000, 480, 600),), 480, 640)
    assert is_too_long((zigzag(2_100, 2_000, 2_100),), 2_000, 2_100)
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=np.float32)
    assert not is_too_long((square,), 1, 1)
    assert not is_too_long((square * 2.0**23,), 1, 1)
    assert not is_too_long((), 1, 1)
