"""The protocol of a split of a data set, and the data set with classes and statistics."""

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
from resnext.model.signal import SignalInput, noun_of

if TYPE_CHECKING:
    from resnext.data.boxes.box_set import BoxImage
    from resnext.data.file_split import FileSplit


class ImageReader(ABC):
    """Opens the images of a split one by one, in the calling process."""

    @abstractmethod
    def name_of(self, index: int) -> str:
        """Return the location of an image for messages; empty for images in memory."""

    @abstractmethod
    def photo(self, index: int) -> Photo | Image.Image:
        """Return an image; from a file, with only its header decoded.

        Raises:
            DataError: Its file or its shard is bad; the message is the reason.
            DownloadError: Its shard cannot be downloaded.
        """

    def mask(self, index: int) -> npt.NDArray[np.uint8]:
        """Return the class of each pixel, h x w, where the targets are masks.

        Raises:
            DataError: Its file is bad; the message is the reason.
        """
        raise NotImplementedError(f"image {index} has no mask")

    def objects(self, index: int) -> BoxImage:
        """Return the objects of an image, where the targets are boxes."""
        raise NotImplementedError(f"image {index} has no boxes")

    def open(self, index: int) -> Image.Image:
        """Return a decoded image, of mode RGB or L.

        Raises:
            DataError: As `photo`.
            DownloadError: As `photo`.
        """
        photo = self.photo(index)
        return photo.load() if isinstance(photo, Photo) else photo

    def prepare(self, shards: tuple[int, ...]) -> None:
        """Prefetch shards that will soon be needed."""
        assert not shards


class Split(Protocol):
    """Labelled images, independent of their storage.

    Images with random access only need the methods without a body here.

    Attributes:
        targets_n: One row per image, with one number or several; see `TargetKind`.
    """

    targets_n: torch.Tensor

    def __len__(self) -> int:
        return len(self.targets_n)

    @property
    def stored_nhwc(self) -> torch.Tensor | None:
        """All images, uint8, if they are in memory."""
        return None

    @property
    def shapes_n2(self) -> torch.Tensor | None:
        """Height and width of each image in pixels, where the targets are masks or boxes."""
        return None

    @property
    def files(self) -> FileSplit | None:
        """The split itself, if each image is a local file."""
        return None

    def name(self, index: int) -> str:
        """Return the name of an image: its path relative to the folder of the split."""
        ...

    def path(self, index: int) -> Path:
        """Return the path of an image's file, or of its source before packing."""
        return Path(self.name(index))

    def reader(self, in_channels: int) -> ImageReader:
        """Return the reader of the images, with 1 or 3 channels; it can be pickled for workers."""
        ...

    def pictures(self, in_channels: int) -> ImageReader:
        """Return what opens the images for people to look at."""
        return self.reader(in_channels)

    def text(self, index: int) -> str:
        """Return the text itself, where the split holds texts; otherwise nothing."""
        del index
        return ""

    def choose(self, indices_n: torch.Tensor) -> Self:
        """Return a split with some of the images."""
        ...

    def sample(self, num: int) -> Self:
        """Return a number of images, selected by a hash, in their order.

        The first images of a folder would all be of one class.
        """
        return self.choose(subset_order(len(self))[:num].sort().values)

    def relabel(self, targets_n: torch.Tensor) -> Self:
        """Return the same images with other targets."""
        relabelled: Self = replace(cast("Any", self), targets_n=targets_n)  # all are dataclasses
        return relabelled

    def join(self, others: Sequence[Self]) -> Self:
        """Append splits of the same kind.

        Raises:
            ConfigError: This kind cannot be joined.
        """
        ...

    def epoch_order(self, seed: int, epoch: int) -> torch.Tensor:
        """Return the order of a training epoch: a permutation of the split, int64."""
        return epoch_order(len(self), seed, epoch)

    def evaluation_order(self) -> torch.Tensor:
        """Return the best order for reading the images once: a permutation, int64."""
        return torch.arange(len(self))

    def shards_ahead(
        self, order_n: torch.Tensor, spans: Sequence[tuple[int, int]]
    ) -> Iterable[tuple[int, ...]]:
        """Return for each batch the shards to prefetch.

        Args:
            order_n: The order in which the images are read.
            spans: First position of each batch in it, and the last plus one.
        """
        del order_n
        return [()] * len(spans)


@dataclass(frozen=True)
class DataInfo:
    """Facts about a data set that a network needs.

    Attributes:
        name: Name of the set.
        classes: Class names, in the order of the labels.
        in_channels: Channels of an image.
        image_size_px: Side of the crop that the network sees.
        mean: Mean of each channel, of values in 0..1.
        std: Standard deviation of each channel.
        targets: Kind of target of an image.
        signal: How signals are prepared; None where the set holds images. With signals, `mean` and
            `std` are not used, and `image_size_px` is the size of a signal.
    """

    name: str
    classes: tuple[str, ...]
    in_channels: int
    image_size_px: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    targets: TargetKind = "class"
    signal: SignalInput | None = None

    @classmethod
    def of_signals(
        cls, name: str, classes: tuple[str, ...], signal: SignalInput, targets: TargetKind = "class"
    ) -> DataInfo:
        """Return the facts about a set of signals.

        Args:
            name: Name of the set.
            classes: Class names, in the order of the labels.
            signal: How its signals are prepared.
            targets: Kind of target of a signal.
        """
        unused = (0.0,) * signal.in_channels, (1.0,) * signal.in_channels
        return cls(name, classes, signal.in_channels, signal.size, *unused, targets, signal)

    @property
    def noun(self) -> str:
        """What the set holds, in the plural: images, series, volumes, texts or videos."""
        return noun_of(self.signal)

    def require_classes(self, what: str) -> None:
        """Check that each image of a data set has a single class.

        Args:
            what: Name of the feature that needs it.

        Raises:
            ConfigError: An image has several labels, or numbers.
        """
        if self.targets != "class":
            raise ConfigError(
                f"{what} needs one class for each image, but {self.name} has targets of the kind "
                f"{self.targets!r}"
            )


@dataclass(frozen=True)
class DataSet:
    """The splits of one set of classes.

    Attributes:
        info: Common facts of the splits.
        train: Images to train on.
        val: Images that select the best epoch.
        test: Images not used in training; None if there are none.
        origin: Description of the source of the splits.
        remarks: What its reader noticed that does not prevent training, such as silent files.
    """

    info: DataInfo
    train: Split
    val: Split
    test: Split | None = None
    origin: str = "the set's own"
    remarks: tuple[str, ...] = ()
