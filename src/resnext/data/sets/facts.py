"""Facts about the named data sets, known before reading them."""

from __future__ import annotations

from typing import NamedTuple


class Facts(NamedTuple):
    """Shape of a data set.

    Attributes:
        image_size_px: Default side of the images for a network.
        in_channels: Channels of an image.
        num_classes: Number of classes.
    """

    image_size_px: int
    in_channels: int
    num_classes: int


KNOWN: dict[str, Facts] = {
    "digits": Facts(8, 1, 10),
    "fashion-mnist": Facts(28, 1, 10),
    "cifar10": Facts(32, 3, 10),
    "cifar100": Facts(32, 3, 100),
    "imagenet": Facts(224, 3, 1000),
}
"""By `DataConfig.name`; a folder's classes are only known after listing."""
