"""Tiles of an image that is too large for one pass, for prediction and evaluation.

The tiles overlap. Of each tile only the middle is kept, where the network sees at least a margin
around each pixel; at the borders of the image, the tile is kept up to its edge. Only the classes of
a tile stay in memory, not its scores. A fully convolutional network gives the same result as for
the whole image if the margin covers its receptive field and the image's sides are multiples of
`ALIGNED_PX`. A network that averages over the whole map (`deeplabv3`, `fpn`) averages over the tile
instead. Needs no torch. Legend: h x w pixels, c channels, k classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

import numpy as np
import numpy.typing as npt

from resnext.data.prepare.geometry import Pixels
from resnext.errors import ConfigError
from resnext.runtimes.spec import ExportSpec

MAX_WHOLE_PIXELS = 2**22
"""Maximum pixels of an image that a network for pixels takes at once; larger ones are tiled.

At this size, DeepLabV3 on a ResNeXt-50 needs about 1.6 GiB for its maps.
"""

_FIXED_MARGIN = 8  # for files with a fixed size: margins per tile side

ALIGNED_PX = 64
"""Tiles start at multiples of this, so that a network's strides hit the same pixels."""

Scores = npt.NDArray[Any]
Classes = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]


@dataclass(frozen=True)
class Tiling:
    """How an image is cut.

    Attributes:
        tile_px: Side of a tile.
        margin_px: Width that is discarded at each inner side of a tile.
        is_exact: The network takes tiles of this size only; smaller ones are padded by repeating
            their last pixels.
    """

    tile_px: int = 1024
    margin_px: int = 128
    is_exact: bool = False

    def __post_init__(self) -> None:
        """Check the sizes.

        Raises:
            ConfigError: The margins would discard whole tiles.
        """
        if self.margin_px < 0 or self.tile_px <= 2 * self.margin_px:
            raise ConfigError(
                f"tile_px={self.tile_px}, margin_px={self.margin_px}: a tile must be larger than "
                "its two margins"
            )


def tiling_of(height: int, width: int, spec: ExportSpec | None) -> Tiling | None:
    """Return how to tile an image that is too large or does not have the fixed input size.

    Args:
        height: Of the image, in pixels.
        width: Of the image, in pixels.
        spec: What the graph of an exported network takes; None for a network in PyTorch.

    Returns:
        None if the network takes the image at once.
    """
    if spec is not None and not spec.dynamic_size:
        side = spec.size_px
        is_whole = height == width == side
        return None if is_whole else Tiling(side, side // _FIXED_MARGIN, is_exact=True)
    return Tiling() if height * width > MAX_WHOLE_PIXELS else None


def describe_tiling(height: int, width: int, tiling: Tiling) -> str:
    """Say that an image is tiled, for a note that is shown once."""
    return (
        f"an image of {width} x {height} px is processed in tiles of {tiling.tile_px} px that "
        f"overlap by {2 * tiling.margin_px} px; so are others that do not fit"
    )


@dataclass(frozen=True)
class Span:
    """A tile along one side of the image, in pixels.

    Attributes:
        start: First pixel that the network sees.
        stop: Last pixel that it sees, plus one.
        kept_start: First pixel whose class is kept.
        kept_stop: Last of them, plus one.
    """

    start: int
    stop: int
    kept_start: int
    kept_stop: int

    @property
    def seen(self) -> slice:
        """The range that the network sees."""
        return slice(self.start, self.stop)

    @property
    def kept(self) -> slice:
        """The range that is kept, in the image."""
        return slice(self.kept_start, self.kept_stop)

    @property
    def kept_of_tile(self) -> slice:
        """The range that is kept, in the tile."""
        return slice(self.kept_start - self.start, self.kept_stop - self.start)


def tiles_of(height: int, width: int, tiling: Tiling) -> Iterator[tuple[Span, Span]]:
    """Yield the rows and columns of each tile; the kept parts cover the image exactly once.

    Args:
        height: Of the image, in pixels.
        width: Of the image, in pixels.
        tiling: How to tile it.
    """
    return product(_spans(height, tiling), _spans(width, tiling))


def classify_in_tiles(
    run: Callable[[Pixels], Scores], image_hwc: Pixels, num_classes: int, tiling: Tiling
) -> Classes:
    """Return the class of every pixel of an image.

    Args:
        run: Returns the scores of a tile, h x w x c to k x h x w.
        image_hwc: The image, of any size.
        num_classes: k.
        tiling: How to tile it.

    Returns:
        h x w, uint8, or uint16 for more than 256 classes.
    """
    height, width = image_hwc.shape[:2]
    kind = np.uint8 if num_classes <= 256 else np.uint16
    classes_hw: Any = np.zeros((height, width), kind)
    for rows, columns in tiles_of(height, width, tiling):
        tile_hwc = _filled_up(image_hwc[rows.seen, columns.seen], tiling)
        found_hw = run(tile_hwc)[:, rows.kept_of_tile, columns.kept_of_tile].argmax(axis=0)
        classes_hw[rows.kept, columns.kept] = found_hw
    found: Classes = classes_hw
    return found


def _spans(side: int, tiling: Tiling) -> Iterator[Span]:
    """Yield the tiles along a side; their kept parts cover it exactly once."""
    starts = _starts(side, tiling)
    # The border between two neighbours is in the middle of their overlap.
    borders = [(after + before + tiling.tile_px) // 2 for before, after in pairwise(starts)]
    for start, kept_start, kept_stop in zip(starts, [0, *borders], [*borders, side], strict=True):
        yield Span(start, min(start + tiling.tile_px, side), kept_start, kept_stop)


def _starts(side: int, tiling: Tiling) -> list[int]:
    step = tiling.tile_px - 2 * tiling.margin_px
    step = max(step // ALIGNED_PX * ALIGNED_PX, 1) if step >= ALIGNED_PX else step
    starts = [0]
    while starts[-1] + tiling.tile_px < side:
        starts.append(starts[-1] + step)
    return starts


def _filled_up(tile_hwc: Pixels, tiling: Tiling) -> Pixels:
    if not tiling.is_exact:
        return tile_hwc
    missing = [(0, tiling.tile_px - side) for side in tile_hwc.shape[:2]]
    filled: Pixels = np.pad(tile_hwc, [*missing, (0, 0)], mode="edge")
    return filled
