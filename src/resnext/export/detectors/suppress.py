"""Suppression of overlapping boxes as an operator with a result of fixed size.

Legend: g groups, c classes, n boxes.
"""

from __future__ import annotations

from typing import Any

import torch
from onnxscript import opset18
from torchvision.ops import nms

UNUSED = -1.0
"""Score of a row that is no candidate."""

_LEAST = UNUSED / 2

op: Any = opset18  # whose types do not follow traced values


@torch.library.custom_op("resnext::suppress", mutates_args=())
def suppress(
    boxes_gn4: torch.Tensor, scores_gcn: torch.Tensor, threshold: float, most: int
) -> torch.Tensor:
    """Tell which boxes remain when the surest suppress those that overlap them.

    Args:
        boxes_gn4: Left, top, right and bottom.
        scores_gcn: Scores of each class; `UNUSED` where the box is no candidate for it.
        threshold: Intersection over union from which a box is suppressed.
        most: Boxes that remain of a class in a group.

    Returns:
        g x c x n, bool.
    """
    kept_gcn = torch.zeros_like(scores_gcn, dtype=torch.bool)
    for boxes_n4, scores_cn, kept_cn in zip(boxes_gn4, scores_gcn, kept_gcn, strict=True):
        for scores_n, kept_n in zip(scores_cn, kept_cn, strict=True):
            found = torch.where(scores_n > _LEAST)[0]
            kept_n[found[nms(boxes_n4[found], scores_n[found], threshold)[:most]]] = True
    return kept_gcn


@suppress.register_fake
def _(
    boxes_gn4: torch.Tensor, scores_gcn: torch.Tensor, threshold: float, most: int
) -> torch.Tensor:
    del boxes_gn4, threshold, most
    return torch.empty_like(scores_gcn, dtype=torch.bool)


def _to_onnx(boxes_gn4: Any, scores_gcn: Any, threshold: float, most: int) -> Any:
    """Write it with ONNX's operator, which lists what remains: group, class and box."""
    rows_m3 = op.NonMaxSuppression(
        boxes_gn4,
        scores_gcn,
        op.Constant(value_ints=[most]),
        op.Constant(value_floats=[threshold]),
        op.Constant(value_floats=[_LEAST]),
    )
    zeros_gcn = op.Mul(scores_gcn, op.Constant(value_float=0.0))
    ones_m = op.Expand(op.Constant(value_float=1.0), op.Shape(rows_m3, start=0, end=1))
    marks_gcn = op.ScatterND(zeros_gcn, rows_m3, ones_m)
    return op.Greater(marks_gcn, op.Constant(value_float=0.5))


TRANSLATIONS: dict[Any, Any] = {torch.ops.resnext.suppress.default: _to_onnx}
"""How torch's exporter writes the operator."""
