"""Turns an image file into the input of one network. Needs no torch, which a service may lack."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from resnext.data.decode.depth import AssumptionLog
from resnext.data.decode.image import Photo, read_file
from resnext.data.decode.image_limits import MAX_PIXELS
from resnext.data.decode.python_image import to_photo
from resnext.data.prepare.geometry import Pixels, cut_long, pixels_of
from resnext.data.prepare.preparation import Preparation
from resnext.errors import ConfigError, DataError
from resnext.model.card import ModelCard
from resnext.model.config import DetectorConfig, ModelConfig, SegmenterConfig
from resnext.runtimes.spec import ExportSpec

_CHANNELS = (1, 3)


def takes_images(config: ModelConfig) -> bool:
    """Return whether a network takes image files: 2 dimensions, grey or colour."""
    return getattr(config, "ndim", 2) == 2 and config.in_channels in _CHANNELS


@dataclass(frozen=True)
class Preprocessor:
    """How to prepare images for one network.

    Attributes:
        in_channels: 3 for RGB, 1 for grey.
        preparation: The resize and the crop.
        is_whole: The network itself resizes and crops: it takes images of any size, one by one.
        is_dense: The network gives every pixel a class: it takes images at their own size, one by
            one, and no pixel may be cropped away.
        detector: The architecture of a network that finds objects: it takes images at their own
            size, too.
    """

    in_channels: int
    preparation: Preparation
    is_whole: bool = False
    is_dense: bool = False
    detector: DetectorConfig | None = None
    _assumptions: AssumptionLog = field(default_factory=AssumptionLog, repr=False, compare=False)

    @classmethod
    def of(
        cls, config: ModelConfig, card: ModelCard, spec: ExportSpec | None = None
    ) -> Preprocessor:
        """Return how to prepare images for a network.

        Args:
            config: Its architecture.
            card: Its preprocessing.
            spec: The input of its graph, for an exported file.

        Raises:
            ConfigError: It does not take images.
        """
        card.require_images("this")
        if not takes_images(config):
            raise ConfigError(
                "image files need a network with 2 dimensions and 1 or 3 channels; "
                f"this one has {getattr(config, 'ndim', 2)} dimension(s) and "
                f"{config.in_channels} channel(s). Use one that was trained on images"
            )
        preparation = Preparation.of_card(card, None if spec is None else spec.size_px)
        return cls(
            config.in_channels,
            preparation,
            is_whole=spec is not None and spec.input == "image",
            is_dense=isinstance(config, SegmenterConfig),
            detector=config if isinstance(config, DetectorConfig) else None,
        )

    @property
    def keeps_size(self) -> bool:
        """Whether images keep their own size, so that they go through the network one by one."""
        return self.is_dense or self.detector is not None

    def read(self, path: Path) -> Image.Image:
        """Decode an image file to the network's channels.

        Raises:
            DataError: It cannot be read or is bad; the message gives only the reason.
        """
        return self.decode(read_file(path), str(path))

    def decode(self, data: bytes, name: str, *, max_pixels: int = MAX_PIXELS) -> Image.Image:
        """Decode the content of an image file to the network's channels.

        Args:
            data: Content of the file.
            name: Its name in the warning that is logged the first time a range is assumed.
            max_pixels: Maximum number of pixels.

        Raises:
            DataError: It is bad or too large; the message gives only the reason.
        """
        photo = Photo(data, self.in_channels, max_pixels=max_pixels)
        image = photo.load()
        self._assumptions.report(name, photo.assumed)
        return image

    def take(self, value: object) -> Image.Image:
        """Convert an image from a Python program to the network's channels.

        Args:
            value: One of `python_image.ACCEPTED`.

        Raises:
            ConfigError: It is not an image.
            DataError: A file is bad; the message gives only the reason.
        """
        photo = to_photo(value, self.in_channels)
        return photo.load() if isinstance(photo, Photo) else photo

    def crop(self, image: Image.Image) -> Pixels:
        """Return the crop of a decoded image that the network sees: size_px x size_px x c."""
        return pixels_of(self.preparation.crop(image))

    def pixels(self, image: Image.Image) -> Pixels:
        """Return the network's input for a decoded image: the crop, or h x w x c.

        A very long image is cut to its middle even if the network itself crops.

        Raises:
            DataError: It is too long and narrow for a detector.
        """
        if self.detector is not None:
            try:
                self.detector.resized_sides(image.size)
            except ConfigError as error:
                raise DataError(str(error)) from None
        if self.keeps_size:
            return pixels_of(image)
        return pixels_of(cut_long(image)) if self.is_whole else self.crop(image)
