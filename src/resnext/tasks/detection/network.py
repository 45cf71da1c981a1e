"""What torchvision's detectors take and return, from and to batches.

Legend: b images, m objects of an image, n objects found in it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from resnext.data.boxes.polygons import Outline
from resnext.data.boxes.rows import CROWD, LABEL
from resnext.data.loading.batch import Batch
from resnext.data.random import derive
from resnext.tasks.detection.masks import LEAST, ObjectMask, fit_mask, limit_box, mask_of_image

LOSS_PARTS = ("class", "box", "objectness", "proposal", "mask")

_PART_OF = {
    "classification": "class",
    "bbox_regression": "box",
    "loss_classifier": "class",
    "loss_box_reg": "box",
    "loss_objectness": "objectness",
    "loss_rpn_box_reg": "proposal",
    "loss_mask": "mask",
}
"""The names of torchvision's losses, of RetinaNet and of networks with regions."""

_MIN_SIDE_PX = 1e-3
"""Smaller boxes have no area in float32, which torchvision refuses."""


@dataclass(frozen=True, eq=False)
class Found:
    """What a network found in the images of a batch.

    Attributes:
        rows: For each image, n x 6: left, top, right and bottom in pixels, score and class number.
        sizes: Height and width of each image in pixels.
        losses: The loss of each image; NaN where it is not known.
        masks: For each image, the masks of the rows, where they are measured.
        outlines: There, for each image, the outlines of its true objects.
    """

    rows: Sequence[npt.NDArray[np.float64]]
    sizes: Sequence[tuple[int, int]]
    losses: Sequence[float]
    masks: Sequence[Sequence[ObjectMask]] | None = None
    outlines: Sequence[Sequence[Outline]] | None = None


def split_images(batch: Batch) -> list[torch.Tensor]:
    """Return the images of a batch without their padding, c x h x w each."""
    assert batch.sizes_b2 is not None
    sizes = batch.sizes_b2.tolist()
    return [
        image_chw[:, :height, :width]
        for image_chw, (height, width) in zip(batch.images_bchw, sizes, strict=True)
    ]


def targets_of(
    batch: Batch, outputs_k: Sequence[int] | None = None
) -> list[dict[str, torch.Tensor]]:
    """Return the objects of each image as torchvision takes them, without crowd regions.

    Args:
        batch: The images.
        outputs_k: The output of each class, if not the identity.
    """
    device = batch.images_bchw.device
    targets = []
    for number, rows_m7 in enumerate(batch.targets_b):
        sides_m2 = rows_m7[:, 2:4] - rows_m7[:, :2]
        is_kept_m = (rows_m7[:, CROWD] == 0) & (sides_m2 > _MIN_SIDE_PX).all(dim=1)
        kept_m7 = rows_m7[is_kept_m]
        labels_m = kept_m7[:, LABEL].long()
        if outputs_k is not None:
            labels_m = torch.tensor(outputs_k)[labels_m]
        target = {
            "boxes": kept_m7[:, :4].float().to(device),
            "labels": (labels_m + 1).to(device),  # 0 is the background
        }
        if batch.object_masks is not None:
            masks_mhw = batch.object_masks[number]
            target["masks"] = masks_mhw[is_kept_m[: len(masks_mhw)]].to(device)
        targets.append(target)
    return targets


def sum_parts(losses: Mapping[str, torch.Tensor]) -> tuple[torch.Tensor, ...]:
    """Return torchvision's losses in the order of `LOSS_PARTS`; a part it lacks is 0."""
    zero = next(iter(losses.values())).new_zeros(())
    parts = dict.fromkeys(LOSS_PARTS, zero)
    for name, loss in losses.items():
        parts[_PART_OF[name]] = parts[_PART_OF[name]] + loss
    return tuple(parts.values())


def found_rows(found: Mapping[str, torch.Tensor]) -> npt.NDArray[np.float64]:
    """Return what torchvision found in one image, n x 6: box, score, class number."""
    columns = (found["boxes"], found["scores"][:, None], found["labels"][:, None] - 1)
    rows_n6 = torch.cat([column.double().cpu() for column in columns], dim=1)
    kept_n6: npt.NDArray[np.float64] = rows_n6[rows_n6[:, 5] >= 0].numpy()  # else background
    return kept_n6


def found_masks(
    found: Mapping[str, torch.Tensor], sides: tuple[int, int], top: int | None = None
) -> list[ObjectMask] | None:
    """Return the masks of the rows of `found_rows`; None where the network finds none.

    Args:
        found: What was found in one image, with `masks` n x 1 x h x w of torchvision's networks, or
            `soft_masks` of exported ones.
        sides: Height and width of the image.
        top: Maximum number of masks.
    """
    is_object_n = found["labels"] > 0  # else background
    if "masks" in found:
        masks_n1hw = found["masks"][is_object_n][:top]
        return [mask_of_image((mask_hw > LEAST).cpu().numpy()) for (mask_hw,) in masks_n1hw]
    if "soft_masks" not in found:
        return None
    boxes, masks_nss = (found[name][is_object_n][:top].cpu() for name in ("boxes", "soft_masks"))
    pairs = zip(boxes.tolist(), masks_nss.numpy(), strict=True)
    return [fit_mask(soft_ss, limit_box(box, *sides), *sides) for box, soft_ss in pairs]


def measure_losses(
    model: nn.Module, images: Sequence[torch.Tensor], batch: Batch, outputs_k: Sequence[int] | None
) -> list[float]:
    """Return the loss of each image, without changing the network.

    Networks with regions draw samples of them: a function of the image's number here. Masks are no
    part of it. A network that is no detector of torchvision, such as an exported one, has no loss.
    """
    if not hasattr(model, "transform"):
        return [math.nan] * len(images)
    targets, losses = targets_of(batch, outputs_k), []
    with torch.random.fork_rng(devices=_cuda_devices(batch)), _loss_mode(model):
        for image_chw, target, index in zip(images, targets, batch.indices_b.tolist(), strict=True):
            torch.manual_seed(derive(index) % 2**63)
            parts: Mapping[str, torch.Tensor] = model([image_chw], [target])
            losses.append(float(sum(part.double() for part in parts.values())))
    return losses


def _cuda_devices(batch: Batch) -> list[torch.device]:
    device = batch.images_bchw.device
    return [device] if device.type == "cuda" else []


@contextmanager
def _loss_mode(model: nn.Module) -> Iterator[None]:
    """Let a detector return losses for images of any size; BN keeps its statistics."""
    transform: Any = model.transform
    regions: Any = getattr(model, "roi_heads", None)
    skips, mask_pool = transform._skip_resize, getattr(regions, "mask_roi_pool", None)
    model.train()
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()
    transform._skip_resize = False
    if mask_pool is not None:
        regions.mask_roi_pool = None  # else the targets need masks
    try:
        yield
    finally:
        transform._skip_resize = skips
        if mask_pool is not None:
            regions.mask_roi_pool = mask_pool
        model.eval()
