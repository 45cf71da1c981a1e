"""One batch, as the loaders hand it over."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Batch:
    """Images ready for the network, with their targets.

    Legend: b images, v views of an image, c channels, h x w pixels.

    Attributes:
        images_bchw: Normalised float32 on the device, channels_last unless the loader was told
            otherwise; with `num_views` above 1 it holds b·v rows, the views of one image together.
        targets_b: What is to be learned of each image; see `TargetKind`. Masks are the class of
            each pixel, uint8, b x h x w.
        indices_b: Indices of the images in their split, int64.
        global_size: Images of this batch in all processes together. A process that
            averages its b losses weighs its gradient by b · processes / global_size.
        other_targets_b: Targets of the images mixed in (mixup, cutmix), or None.
        kept_b: Share of each image's own target, float32, or None.
        num_views: Views of each image.
    """

    images_bchw: torch.Tensor
    targets_b: torch.Tensor
    indices_b: torch.Tensor
    global_size: int
    other_targets_b: torch.Tensor | None = None
    kept_b: torch.Tensor | None = None
    num_views: int = 1
