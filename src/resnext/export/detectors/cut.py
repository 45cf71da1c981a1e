"""Regions cut out of several maps as one operator, whose result has a fixed size.

Legend: b images, m regions, c channels, s positions along a side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from onnxscript import opset18
from torchvision.ops import roi_align

op: Any = opset18  # whose types do not follow traced values


@torch.library.custom_op("resnext::cut_regions", mutates_args=())
def cut_regions(
    maps: Sequence[torch.Tensor],
    rois_m5: torch.Tensor,
    chosen_m: torch.Tensor,
    scales: Sequence[float],
    side: int,
    sampling: int,
) -> torch.Tensor:
    """Cut each region out of one map, as torchvision's `MultiScaleRoIAlign` does.

    Args:
        maps: b x c x h x w each, with the same channels.
        rois_m5: Number of the image, then left, top, right and bottom in pixels.
        chosen_m: Numbers of the maps, as floats.
        scales: Positions of each map per pixel.
        side: s.
        sampling: Samples along a side of a position.

    Returns:
        m x c x s x s.
    """
    result = rois_m5.new_zeros(len(rois_m5), maps[0].shape[1], side, side)
    for number, (map_bchw, scale) in enumerate(zip(maps, scales, strict=True)):
        here = torch.where(chosen_m == number)[0]
        result[here] = roi_align(map_bchw, rois_m5[here], side, scale, sampling)
    return result


@cut_regions.register_fake
def _(
    maps: Sequence[torch.Tensor],
    rois_m5: torch.Tensor,
    chosen_m: torch.Tensor,
    scales: Sequence[float],
    side: int,
    sampling: int,
) -> torch.Tensor:
    del chosen_m, scales, sampling
    return rois_m5.new_empty(rois_m5.shape[0], maps[0].shape[1], side, side)


def _to_onnx(
    maps: Sequence[Any],
    rois_m5: Any,
    chosen_m: Any,
    scales: Sequence[float],
    side: int,
    sampling: int,
) -> Any:
    """Write it with ONNX's operator, once for each map."""
    images_m = op.Cast(op.Gather(rois_m5, op.Constant(value_int=0), axis=1), to=7)
    boxes_m4 = op.Gather(rois_m5, op.Constant(value_ints=[1, 2, 3, 4]), axis=1)
    shape = op.Concat(
        op.Shape(images_m),
        op.Shape(maps[0], start=1, end=2),
        op.Constant(value_ints=[side, side]),
        axis=0,
    )
    result = op.Expand(op.Constant(value_float=0.0), shape)
    for number, (map_bchw, scale) in enumerate(zip(maps, scales, strict=True)):
        is_here_m = op.Equal(chosen_m, op.Constant(value_float=float(number)))
        here_1n = op.NonZero(is_here_m)
        here_n = op.Squeeze(here_1n, op.Constant(value_ints=[0]))
        cut = op.RoiAlign(
            map_bchw,
            op.Gather(boxes_m4, here_n, axis=0),
            op.Gather(images_m, here_n, axis=0),
            coordinate_transformation_mode="output_half_pixel",
            output_height=side,
            output_width=side,
            sampling_ratio=sampling,
            spatial_scale=scale,
        )
        result = op.ScatterND(result, op.Transpose(here_1n, perm=[1, 0]), cut)
    return result


TRANSLATIONS: dict[Any, Any] = {torch.ops.resnext.cut_regions.default: _to_onnx}
"""How torch's exporter writes the operator."""
