"""Errors of refused image files, for callers that handle each reason differently."""

from __future__ import annotations

from resnext.errors import DataError


class NotAnImageError(DataError):
    """The file is not in an accepted format."""


class ImageLimitError(DataError):
    """Decoding the file would take disproportionate time or memory.

    The message contains only numbers from the file, so that a service can repeat it.
    """


class TooManyPixelsError(ImageLimitError):
    """The image exceeds the size limit."""

    def __init__(self, max_pixels: int, size: tuple[int, int] | None = None) -> None:
        """Format the reason.

        Args:
            max_pixels: Maximum number of pixels.
            size: Width and height of the image, if known.
        """
        found = "its pixels" if size is None else f"{size[0]} x {size[1]} pixels"
        super().__init__(
            f"{found} are more than the {max_pixels / 1e6:g} million accepted "
            "(a decompression bomb?)"
        )


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Refuse an image of too many pixels.

    Raises:
        TooManyPixelsError: It has more than `max_pixels`.
    """
    if width * height > max_pixels:
        raise TooManyPixelsError(max_pixels, (width, height))


def too_short(kind: str, width: int, height: int) -> ImageLimitError:
    """Return the error for a file that is too short for its pixels, however well compressed."""
    return ImageLimitError(
        f"the {kind} is too short for {width} x {height} pixels: it is truncated, or declares a "
        "wrong size"
    )
