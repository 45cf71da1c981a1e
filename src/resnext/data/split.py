"""A split of a data set, whatever holds its images, and the set with its classes and statistics."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, cast

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from resnext.data.config import TargetKind
from resnext.data.decode.image import Photo
from resnext.data.random import epoch_order, subset_order
from resnext.errors import ConfigError

if TYPE_CHECKING:
    from resnext.data.file_split import FileSplit


class ImageReader(ABC):
    """Opens the images of a split one by one, in the process that asks for them."""

    @abstractmethod
    def name_of(self, index: int) -> str:
        """Say where an image lies, for messages; one in memory lies nowhere."""

    @abstractmethod
    def photo(self, index: int) -> Photo | Image.Image:
        """Return an image; of a file, only the header has been decoded.

        Raises:
            DataError: Its file or its shard is bad; the message is the reason.
            DownloadError: Its shard cannot be fetched.
        """

    def mask(self, index: int) -> npt.NDArray[np.uint8]:
        """Return the class of each pixel, h x w, where the targets are masks.

        Raises:
            DataError: Its file is bad; the message is the reason.
        """
        raise NotImplementedError(f"image {index} has no mask")

    def open(self, index: int) -> Image.Image:
        """Return a whole image, of mode RGB or L.

        Raises:
            DataError: As `photo`.
            DownloadError: As `photo`.
        """
        photo = self.photo(index)
        return photo.load() if isinstance(photo, Photo) else photo

    def prepare(self, shards: tuple[int, ...]) -> None:
        """Begin to fetch shards that will soon be needed."""
        assert not shards


class Split(Protocol):
    """Labelled images. Who uses one asks it, and need not know what holds the images.

    Images that can be read at any time and in any order need no more than the methods without
    a body here.

    Attributes:
        targets_n: A row for each image, which is a number or several; see `TargetKind`.
    """

    targets_n: torch.Tensor

    def __len__(self) -> int:
        return len(self.targets_n)

    @property
    def stored_nhwc(self) -> torch.Tensor | None:
        """All images, uint8, where they are held in memory."""
        return None

    @property
    def shapes_n2(self) -> torch.Tensor | None:
        """Height and width of each image in pixels, where the targets are masks."""
        return None

    @property
    def files(self) -> FileSplit | None:
        """The split itself, where each image is a file on this machine."""
        return None

    def name(self, index: int) -> str:
        """Return what people call an image: its file's name below the folder of the split."""
        ...

    def path(self, index: int) -> Path:
        """Return the path of an image's file, or of what it was before it was packed."""
        return Path(self.name(index))

    def reader(self, in_channels: int) -> ImageReader:
        """Return what opens the images, with 1 or 3 channels; workers take it along."""
        ...

    def choose(self, indices_n: torch.Tensor) -> Self:
        """Return the split of some images."""
        ...

    def sample(self, num: int) -> Self:
        """Return so many of the images, chosen by a hash alone, in their order.

        In that order the first images of a folder are all of one class.
        """
        return self.choose(subset_order(len(self))[:num].sort().values)

    def relabel(self, targets_n: torch.Tensor) -> Self:
        """Return the same images with other targets."""
        relabelled: Self = replace(cast("Any", self), targets_n=targets_n)  # all are dataclasses
        return relabelled

    def join(self, others: Sequence[Self]) -> Self:
        """Put splits of the same kind behind this one.

        Raises:
            ConfigError: This kind cannot be put together.
        """
        ...

    def epoch_order(self, seed: int, epoch: int) -> torch.Tensor:
        """Return the order of a training epoch: a permutation of the split, int64."""
        return epoch_order(len(self), seed, epoch)

    def evaluation_order(self) -> torch.Tensor:
        """Return the order in which the images are best read once: a permutation, int64."""
        return torch.arange(len(self))

    def shards_ahead(
        self, order_n: torch.Tensor, spans: Sequence[tuple[int, int]]
    ) -> Iterable[tuple[int, ...]]:
        """Say for each batch which shards to begin to fetch, so that they are there in time.

        Args:
            order_n: The order in which the images are read.
            spans: First position of each batch in it, and the last plus one.
        """
        del order_n
        return [()] * len(spans)


@dataclass(frozen=True)
class DataInfo:
    """What a network must know about a data set.

    Attributes:
        name: Name of the set.
        classes: Class names, in the order of the labels.
        in_channels: Channels of an image.
        image_size_px: Side of the crop that the network sees.
        mean: Mean of each channel, of values in 0..1.
        std: Standard deviation of each channel.
        targets: What is to be learned of an image.
    """

    name: str
    classes: tuple[str, ...]
    in_channels: int
    image_size_px: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    targets: TargetKind = "class"

    def require_classes(self, what: str) -> None:
        """Refuse a set whose images have no single class.

        Args:
            what: What needs one, in words.

        Raises:
            ConfigError: An image has several labels, or numbers.
        """
        if self.targets != "class":
            raise ConfigError(
                f"{what} needs one class for each image; {self.name} has targets of the kind "
                f"{self.targets!r}"
            )


@dataclass(frozen=True)
class DataSet:
    """The splits of one set of classes.

    Attributes:
        info: What they have in common.
        train: Images to train on.
        val: Images that choose the best epoch.
        test: Images that training never sees; None where the set has none.
        origin: Where the splits come from, in words.
    """

    info: DataInfo
    train: Split
    val: Split
    test: Split | None = None
    origin: str = "the set's own"
