"""Settings of loaders: processes, batch size and device."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from resnext.data.augment.config import AugmentConfig


@dataclass(frozen=True, kw_only=True)
class LoaderConfig:
    """Settings of every loader.

    Attributes:
        batch_size: Images per training step over all processes, or per evaluation batch in one
            process.
        device: Device of the batches; images in memory that are augmented in batches stay there.
        workers: Processes that decode, crop and resize; 0 uses this process. Images in memory that
            are processed in batches need none.
        rank: Index of this process.
        world_size: Number of processes.
        channels_last: Return images in channels_last layout.
    """

    batch_size: int
    device: torch.device
    workers: int = 0
    rank: int = 0
    world_size: int = 1
    channels_last: bool = True

    @property
    def layout(self) -> torch.memory_format:
        """Torch's memory format of a batch's images."""
        return torch.channels_last if self.channels_last else torch.contiguous_format


@dataclass(frozen=True, kw_only=True)
class TrainLoaderConfig(LoaderConfig):
    """Additional settings of a training loader.

    Attributes:
        augment: Augmentation of the images.
        seed: Seed of order and augmentation.
        is_exact: Make resized crops equal to Pillow's, bit for bit; slower.
    """

    augment: AugmentConfig
    seed: int
    is_exact: bool = False
