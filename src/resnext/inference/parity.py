"""Compares the logits of two ways to compute a network. Legend: b images, k classes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from resnext.errors import ConfigError

BF16_TOLERANCE = 0.02
"""Largest difference of a logit between bf16 and fp32, relative to the largest logit.

bf16 rounds each factor to 8 bits, by at most 0.2 %; ResNeXt-50 was measured at 0.4 % in total.
"""


Pair = tuple[npt.NDArray[Any], npt.NDArray[Any]]


@dataclass(frozen=True)
class Parity:
    """How closely two ways to compute a network agree.

    Attributes:
        num_images: Number of images compared.
        source: The images, in words.
        largest_difference: Largest difference of a logit.
        largest_logit: Largest absolute logit, the scale for the difference.
        top1_agreement: Share of images with the same best class, in percent.
        noun: What was compared, in the plural.
    """

    num_images: int
    source: str
    largest_difference: float
    largest_logit: float
    top1_agreement: float
    noun: str = "images"

    def __str__(self) -> str:
        """Describe it in words."""
        return (
            f"on {self.num_images} {self.noun} ({self.source}): largest difference of a logit "
            f"{self.largest_difference:.1e} of {self.largest_logit:.1f}, same best class "
            f"{self.top1_agreement:.1f} %"
        )


@dataclass(frozen=True)
class PixelParity(Parity):
    """How closely two ways to compute a network for pixels agree.

    `top1_agreement` is the share of pixels with the same best class.
    """

    def __str__(self) -> str:
        """Describe it in words."""
        return (
            f"on {self.num_images} images ({self.source}): largest difference of a score "
            f"{self.largest_difference:.1e} of {self.largest_logit:.1f}, same class at "
            f"{self.top1_agreement:.2f} % of the pixels"
        )


@dataclass(frozen=True)
class ObjectParity(Parity):
    """How closely two ways to compute a detector agree.

    `largest_difference` is that of a score, and `top1_agreement` the share of objects that both
    find with the same class, in percent.

    Attributes:
        num_objects: Objects that the reference found.
        largest_distance_px: Largest distance between the sides of an object's boxes.
    """

    num_objects: int = 0
    largest_distance_px: float = 0.0

    def __str__(self) -> str:
        """Describe it in words."""
        return (
            f"on {self.num_images} images ({self.source}) with {self.num_objects:,} objects: "
            f"largest difference of a box {self.largest_distance_px:.1e} px, of a score "
            f"{self.largest_difference:.1e}, same objects {self.top1_agreement:.2f} %"
        )


_NEAR_PX = 1.0  # boxes of one object in two runtimes


def object_parity(pairs: Iterable[Pair], source: str) -> ObjectParity:
    """Compare objects image by image.

    Args:
        pairs: Reference and candidate, n x 6 each: box in pixels, score and class. A box that
            overlaps another by just the limit may be suppressed in one of them only.
        source: The images, in words.
    """
    num_images, num_objects, num_alone, difference, distance = 0, 0, 0, 0.0, 0.0
    for wanted_n6, found_m6 in pairs:
        num_images += 1
        num_objects += len(wanted_n6)
        free = np.ones(len(found_m6), dtype=bool)
        for row in wanted_n6:
            gaps_m = np.abs(found_m6[:, :4] - row[:4]).max(axis=1, initial=0.0)
            near_m = free & (found_m6[:, 5] == row[5]) & (gaps_m <= _NEAR_PX)
            if not near_m.any():
                num_alone += 1
                continue
            cost_m = gaps_m + np.abs(found_m6[:, 4] - row[4])
            best = int(np.where(near_m, cost_m, np.inf).argmin())
            free[best] = False
            distance = max(distance, float(gaps_m[best]))
            difference = max(difference, float(abs(found_m6[best, 4] - row[4])))
        num_alone += int(free.sum())
    agreement = 100 * (1 - min(num_alone / max(num_objects, 1), 1))
    return ObjectParity(
        num_images,
        source,
        difference,
        1.0,
        agreement,
        num_objects=num_objects,
        largest_distance_px=distance,
    )


def pixel_parity(pairs: Iterable[Pair], source: str) -> PixelParity:
    """Compare scores of every pixel, batch by batch.

    Args:
        pairs: Reference and candidate scores, b x k x h x w, one batch at a time, since they are
            much larger than the images.
        source: The images, in words.
    """
    num_images, num_equal, num_pixels, difference, largest = 0, 0, 0, 0.0, 0.0
    for wanted_bkhw, found_bkhw in pairs:
        equal_bhw = wanted_bkhw.argmax(1) == found_bkhw.argmax(1)
        num_images += len(equal_bhw)
        num_equal += int(equal_bhw.sum())
        num_pixels += equal_bhw.size
        # NumPy's maximum keeps NaN; Python's may lose it.
        difference = float(np.maximum(difference, np.abs(wanted_bkhw - found_bkhw).max()))
        largest = float(np.maximum(largest, np.abs(wanted_bkhw).max()))
    agreement = 100 * num_equal / max(num_pixels, 1)
    return PixelParity(num_images, source, difference, largest, agreement)


def parity_of(
    wanted_bk: npt.NDArray[Any],
    found_bk: npt.NDArray[Any],
    source: str,
    noun: str = "images",
) -> Parity:
    """Compare the logits of the same images.

    Args:
        wanted_bk: Reference logits.
        found_bk: Logits to compare.
        source: The images, in words.
        noun: What they are, in the plural.
    """
    return Parity(
        num_images=len(wanted_bk),
        source=source,
        largest_difference=float(np.abs(wanted_bk - found_bk).max()),
        largest_logit=float(np.abs(wanted_bk).max()),
        top1_agreement=100 * float((wanted_bk.argmax(1) == found_bk.argmax(1)).mean()),
        noun=noun,
    )


def check_bf16(parity: Parity, name: object) -> None:
    """Raise an error if bf16 changes a network too much.

    Args:
        parity: bf16 against fp32.
        name: The network, for the message.

    Raises:
        ConfigError: A logit differs by more than `BF16_TOLERANCE`.
    """
    limit = BF16_TOLERANCE * parity.largest_logit
    if not parity.largest_difference <= limit:  # also true for NaN
        raise ConfigError(
            f"{name}: bf16 changes its answers too much {parity}; the accepted difference is "
            f"{limit:.1e}; use fp32 (--precision fp32)"
        )
