"""What the graphs of all detectors share. Legend: b images, n boxes, k best of them.

Boxes are left, top, right and bottom, in pixels of the resized image.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional as F

from resnext.export.detectors.suppress import UNUSED

_MOST_MOVED = 1000
"""Up to so many candidates of an image, torchvision moves the boxes of each class apart and
suppresses all at once; beyond that, class by class. Moved boxes are rounded, which may decide
whether two of them overlap."""

ABSENT = -1e30
"""Less than any output of a network."""


def anchors_on(
    map_bchw: torch.Tensor, images_bchw: torch.Tensor, cell_a4: torch.Tensor
) -> torch.Tensor:
    """Return the anchors at every position of a map, n x 4; see torchvision's `AnchorGenerator`.

    Args:
        map_bchw: The map.
        images_bchw: The padded images.
        cell_a4: The anchors of one position.
    """
    (rows, columns), (height, width) = map_bchw.shape[2:], images_bchw.shape[2:]
    shifts_y = torch.arange(rows) * (height // rows)
    shifts_x = torch.arange(columns) * (width // columns)
    shifts_hw2 = torch.stack(
        [shifts_x[None, :].expand(rows, columns), shifts_y[:, None].expand(rows, columns)], dim=2
    )
    shifts_n4 = shifts_hw2.reshape(-1, 2).repeat(1, 2)
    return (shifts_n4[:, None] + cell_a4[None]).reshape(-1, 4)


def best(scores_bn: torch.Tensor, num: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the best rows, b x num each: scores and numbers.

    Where there are fewer rows, the rest has a score of `ABSENT` and the number 0.
    """
    padded_bn = F.pad(scores_bn, (0, num), value=ABSENT)
    found_bk, rows_bk = padded_bn.topk(num, dim=1)
    return found_bk, torch.where(found_bk > ABSENT / 2, rows_bk, 0)


def take(values_bnx: torch.Tensor, rows_bk: torch.Tensor) -> torch.Tensor:
    """Return the rows with these numbers of each image, b x k x ..."""
    width = values_bnx.shape[2]
    return values_bnx.gather(1, rows_bk[:, :, None].expand(-1, -1, width))


def decode(coder: Any, codes_x4: torch.Tensor, anchors_x4: torch.Tensor) -> torch.Tensor:
    """Return the boxes that codes mean, relative to anchors of the same shape."""
    boxes_n4: torch.Tensor = coder.decode_single(codes_x4.reshape(-1, 4), anchors_x4.reshape(-1, 4))
    return boxes_n4.reshape(codes_x4.shape)


def clip(boxes_x4: torch.Tensor, limits_4: torch.Tensor) -> torch.Tensor:
    """Clip boxes to their image: width, height, width and height in pixels."""
    return torch.minimum(boxes_x4.clamp(min=0), limits_4)


def is_large(boxes_x4: torch.Tensor, side_px: float) -> torch.Tensor:
    """Tell which boxes have sides of at least so many pixels."""
    sides_x2 = boxes_x4[..., 2:] - boxes_x4[..., :2]
    return (sides_x2[..., 0] >= side_px) & (sides_x2[..., 1] >= side_px)


def move_apart(
    boxes_bn4: torch.Tensor, labels_bn: torch.Tensor, is_candidate_bn: torch.Tensor
) -> torch.Tensor:
    """Move the boxes of each class apart where torchvision does; see `_MOST_MOVED`."""
    largest_b = torch.where(is_candidate_bn, boxes_bn4.amax(dim=2), 0.0).amax(dim=1)
    is_moved_b = is_candidate_bn.float().sum(dim=1) <= _MOST_MOVED
    steps_b = torch.where(is_moved_b, largest_b + 1, 0.0)
    return boxes_bn4 + (labels_bn.float() * steps_b[:, None])[:, :, None]


def mark(scores_x: torch.Tensor, is_candidate_x: torch.Tensor) -> torch.Tensor:
    """Return scores, `UNUSED` for rows that are no candidates."""
    return torch.where(is_candidate_x, scores_x, UNUSED)


def write_rows(
    boxes_bk4: torch.Tensor,
    scores_bk: torch.Tensor,
    labels_bk: torch.Tensor,
    ratios_4: torch.Tensor,
) -> torch.Tensor:
    """Return rows of box, score and class; those without a score are 0.

    Args:
        boxes_bk4: The boxes.
        scores_bk: Their scores; not positive for unused rows.
        labels_bk: Their classes.
        ratios_4: Pixels of the image per pixel of the resized one, for each side of a box.
    """
    columns = (boxes_bk4 * ratios_4, scores_bk[:, :, None], labels_bk.float()[:, :, None])
    rows_bk6 = torch.cat(columns, dim=2)
    return torch.where(scores_bk[:, :, None] > 0, rows_bk6, 0.0)
