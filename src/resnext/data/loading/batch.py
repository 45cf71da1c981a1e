"""One batch of a loader."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from resnext.data.boxes.polygons import Outline


@dataclass(frozen=True)
class Batch:
    """Images ready for the network, with their targets.

    Legend: b images, v views of an image, c channels, h x w pixels.

    Attributes:
        images_bchw: Normalised float32 on the device, channels_last unless configured otherwise;
            with `num_views` above 1 it has b·v rows, with the views of an image together.
        targets_b: Target of each image; see `TargetKind`. Masks are the class of each pixel, uint8,
            b x h x w. Boxes are rows of numbers, b x m x 7; see `boxes.rows`. They stay on the CPU.
        indices_b: Indices of the images in their split, int64.
        global_size: Images of this batch over all processes. A process that averages its b losses
            weights its gradient by b · processes / global_size.
        other_targets_b: Targets of the images mixed in (mixup, cutmix), or None.
        kept_b: Fraction of each image's own target, float32, or None.
        num_views: Views of each image.
        sizes_b2: Height and width of each image, where the targets are boxes and sizes differ;
            `images_bchw` is then in 0..1, padded on the right and below.
        object_masks: There, the masks of each image's objects, uint8 m x h x w on the CPU, if the
            network learns them.
        outlines: There, the outlines of each image's objects, in the order of the rows, where masks
            are measured.
    """

    images_bchw: torch.Tensor
    targets_b: torch.Tensor
    indices_b: torch.Tensor
    global_size: int
    other_targets_b: torch.Tensor | None = None
    kept_b: torch.Tensor | None = None
    num_views: int = 1
    sizes_b2: torch.Tensor | None = None
    object_masks: tuple[torch.Tensor, ...] | None = None
    outlines: tuple[tuple[Outline, ...], ...] | None = None
