"""How batches are made: by which processes, how large, and on which device."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from resnext.data.augment.config import AugmentConfig


@dataclass(frozen=True, kw_only=True)
class LoaderConfig:
    """What every loader must know besides the images.

    Attributes:
        batch_size: Images of a training step in all processes together, or of an evaluated
            batch in one of them.
        device: Where batches go; images in memory that are augmented in batches are kept there.
        workers: Processes that decode, crop and resize; 0 does it in this one. None are started
            for images in memory that need no work one by one.
        rank: This process.
        world_size: Number of processes.
        channels_last: Hand over images with the channels innermost in memory.
    """

    batch_size: int
    device: torch.device
    workers: int = 0
    rank: int = 0
    world_size: int = 1
    channels_last: bool = True

    @property
    def layout(self) -> torch.memory_format:
        """The layout of a batch's images in memory, as torch calls it."""
        return torch.channels_last if self.channels_last else torch.contiguous_format


@dataclass(frozen=True, kw_only=True)
class TrainLoaderConfig(LoaderConfig):
    """What a training loader must know besides.

    Attributes:
        augment: How images are varied.
        seed: Decides order and augmentation.
        is_exact: Give resized crops the pixels of Pillow, bit for bit, more slowly.
    """

    augment: AugmentConfig
    seed: int
    is_exact: bool = False
