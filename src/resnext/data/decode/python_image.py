"""From what a Python program holds an image in to pixels: paths, bytes, PIL, arrays, tensors.

Floats are taken for shares of white, 0 to 1, and rounded to 8 bits, of which every network here is
made: so a tensor of torchvision's `ToTensor` gives the pixels of its image. Whoever has normalised
an image already is refused, since the network does that itself.

Legend: h x w pixels, c channels.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

import numpy as np
import numpy.typing as npt
from PIL import Image

from resnext.data.decode.flatten import flatten
from resnext.data.decode.image import Photo, judged, read_file
from resnext.data.decode.orientation import orientation_of, turned
from resnext.data.decode.samples import Samples
from resnext.errors import ConfigError

if TYPE_CHECKING:
    import torch

ImageInput: TypeAlias = (
    "str | os.PathLike[str] | bytes | Image.Image | npt.NDArray[Any] | torch.Tensor"
)
"""What a Python program holds an image in; see `ACCEPTED`."""

ACCEPTED = (
    "a path, the bytes of an image file, a PIL image, an array of H x W or H x W x 1, 3 or 4, or a "
    "tensor of H x W or 1, 3 or 4 x H x W, either of uint8 or of floats in 0..1"
)
_DEEP_MODES = ("I", "F")
_CHANNELS = (1, 3, 4)


def to_photo(value: object, in_channels: int) -> Photo | Image.Image:
    """Return an image as the readers of data sets do: of a file, only the header is decoded.

    Args:
        value: One of `ACCEPTED`.
        in_channels: 3 for RGB, 1 for grey.

    Raises:
        ConfigError: It is something else, or its values are no pixels.
        DataError: A file is missing or bad; the message is the reason only.
    """
    if isinstance(value, str | os.PathLike):
        return Photo(read_file(Path(value)), in_channels)
    if isinstance(value, bytes | bytearray | memoryview):
        return Photo(bytes(value), in_channels)
    mode = "RGB" if in_channels == 3 else "L"
    if isinstance(value, Image.Image):
        with judged():
            return flatten(_eight_bits(turned(value, orientation_of(value))), mode)
    return flatten(Image.fromarray(to_pixels(value)), mode)


def has_colour(value: object) -> bool:
    """Tell whether an image has colours, by its form alone: a file counts as having them."""
    if isinstance(value, Image.Image):
        return value.mode not in ("1", "L", "LA", "La", *_DEEP_MODES) and value.mode[:2] != "I;"
    if isinstance(value, str | os.PathLike | bytes | bytearray | memoryview):
        return True
    return to_pixels(value).ndim == 3


def to_pixels(value: object) -> npt.NDArray[np.uint8]:
    """Return the pixels of an array or tensor: h x w, or h x w x 3 or 4.

    Raises:
        ConfigError: Its shape, type or values are not those of an image.
    """
    if isinstance(value, np.ndarray):
        return _pixels_of_array(value)
    if is_array(value):
        return _pixels_of_tensor(value)
    raise ConfigError(f"an image of type {type(value).__name__}: give {ACCEPTED}")


def is_array(value: object) -> TypeGuard[npt.NDArray[Any] | torch.Tensor]:
    """Tell whether something is an array or a tensor, without importing torch."""
    return isinstance(value, np.ndarray) or any(
        (kind.__module__.partition(".")[0], kind.__name__) == ("torch", "Tensor")
        for kind in type(value).__mro__
    )


def _pixels_of_tensor(tensor: Any) -> npt.NDArray[np.uint8]:
    shape = tuple(tensor.shape)
    if tensor.ndim == 3 and shape[0] not in _CHANNELS:
        hint = "; move the channels first: tensor.permute(2, 0, 1)" * (shape[2] in _CHANNELS)
        raise ConfigError(
            f"a tensor of shape {shape} is not an image: give 1, 3 or 4 x H x W{hint}"
        )
    values = tensor.detach().cpu()
    values = values.float().numpy() if values.is_floating_point() else values.numpy()
    return _pixels_of_array(values.transpose(1, 2, 0) if values.ndim == 3 else values)


def _pixels_of_array(values: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    if values.ndim not in (2, 3) or (values.ndim == 3 and values.shape[2] not in _CHANNELS):
        is_first = values.ndim == 3 and values.shape[0] in _CHANNELS
        hint = "; move the channels last: array.transpose(1, 2, 0)" * is_first
        raise ConfigError(
            f"an array of shape {values.shape} is not an image: give H x W, or H x W x 1, 3 or "
            f"4{hint}"
        )
    if not values.size:
        raise ConfigError(f"an image of shape {values.shape} holds no pixel")
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    if values.dtype == np.uint8:
        return np.ascontiguousarray(values)
    if not np.issubdtype(values.dtype, np.floating):
        raise ConfigError(
            f"an image of {values.dtype}: give uint8 (0 to 255), or floats (0 to 1); "
            "for other integers, the value of white is unknown"
        )
    low, high = float(values.min()), float(values.max())
    if not 0.0 <= low <= high <= 1.0:  # NaN is neither
        raise ConfigError(
            f"an image of floats from {low:.4g} to {high:.4g}: give values in 0..1, before they "
            "are normalised; the network knows its mean and standard deviation"
        )
    return np.rint(values.astype(np.float32) * 255).astype(np.uint8)


def _eight_bits(image: Image.Image) -> Image.Image:
    is_deep = image.mode in _DEEP_MODES or image.mode.startswith("I;")
    return Samples(np.asarray(image)[:, :, None]).to_image() if is_deep else image
