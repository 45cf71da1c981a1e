"""Outlines of objects: read, packed, and drawn as masks."""

from __future__ import annotations

import numpy as np
import pytest

from resnext.data.boxes.polygons import PackedOutlines, draw_masks, read_outline

SQUARE = [2, 1, 6, 1, 6, 4, 2, 4]
TRIANGLE = [0, 0, 8, 0, 0, 8]


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
