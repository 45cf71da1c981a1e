"""What is wrong with the objects that were found in an image.

Every object that is no hit gets one kind of error, by its overlap with the true boxes; true objects
that no hit and no error accounts for are missed. Legend: n found, m true objects.

Source: D. Bolya et al., TIDE, arXiv 2008.08115, section 2.2.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from resnext.data.boxes.box_set import BoxImage

Kind = Literal["hit", "crowd", "class", "place", "both", "duplicate", "background"]
ERRORS: dict[Kind, str] = {
    "class": "wrong class",
    "place": "box off",
    "both": "wrong class and box off",
    "duplicate": "found twice",
    "background": "nothing there",
}
MISSED = "missed"
_HIT, _NEAR = 0.5, 0.1

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Judged:
    """The objects of an image, judged.

    Attributes:
        found_n6: What was found, the surest first: box, score and label.
        kinds: What each of them is.
        missed: Numbers of the true objects that were missed.
    """

    found_n6: Numbers
    kinds: tuple[Kind, ...]
    missed: tuple[int, ...]

    @property
    def errors(self) -> Counter[str]:
        """Errors by kind, missed objects among them."""
        counts = Counter(ERRORS[kind] for kind in self.kinds if kind in ERRORS)
        return counts + Counter({MISSED: len(self.missed)})


def judge(image: BoxImage, found_n6: Numbers) -> Judged:
    """Judge what was found in an image, at an overlap of one half.

    Args:
        image: With its true boxes.
        found_n6: Left, top, right, bottom, score and label of each object.
    """
    found_n6 = found_n6[np.argsort(-found_n6[:, 4], kind="stable")]
    overlaps_nm = overlaps(found_n6[:, :4], image.boxes_n4)
    is_same_nm = found_n6[:, 5:6] == image.labels_n[None, :]
    is_object_m = ~image.crowds_n
    taken, accounted = set[int](), set[int]()
    kinds: list[Kind] = []
    for row, is_same_m in zip(overlaps_nm, is_same_nm, strict=True):
        same_m = np.where(is_same_m & is_object_m, row, 0.0)
        other_m = np.where(~is_same_m & is_object_m, row, 0.0)
        free = [n for n in np.argsort(-same_m) if same_m[n] >= _HIT and n not in taken]
        if free:
            taken.add(int(free[0]))
            kinds.append("hit")
            continue
        kinds.append(_kind(same_m, other_m, row * (is_same_m & image.crowds_n)))
        if kinds[-1] in ("class", "place"):
            accounted.add(int((other_m if kinds[-1] == "class" else same_m).argmax()))
    missed = [n for n in np.flatnonzero(is_object_m) if n not in taken | accounted]
    return Judged(found_n6, tuple(kinds), tuple(map(int, missed)))


def _kind(same_m: Numbers, other_m: Numbers, crowd_m: Numbers) -> Kind:
    """Name the error of an object that is no hit, by its largest overlaps."""
    same, other, crowd = (float(part.max(initial=0.0)) for part in (same_m, other_m, crowd_m))
    if same >= _HIT:
        return "duplicate"
    if crowd >= _HIT:
        return "crowd"
    if other >= _HIT:
        return "class"
    if same >= _NEAR:
        return "place"
    return "both" if other >= _NEAR else "background"


def overlaps(first_n4: Numbers, second_m4: Numbers) -> Numbers:
    """Return the intersection over the union of every two boxes, n x m."""
    low_nm2 = np.maximum(first_n4[:, None, :2], second_m4[None, :, :2])
    high_nm2 = np.minimum(first_n4[:, None, 2:], second_m4[None, :, 2:])
    common_nm = (high_nm2 - low_nm2).clip(min=0).prod(axis=2)
    areas_n, areas_m = (
        (boxes[:, 2:] - boxes[:, :2]).prod(axis=1) for boxes in (first_n4, second_m4)
    )
    union_nm = areas_n[:, None] + areas_m[None, :] - common_nm
    shares_nm: Numbers = np.divide(
        common_nm, union_nm, out=np.zeros_like(common_nm), where=union_nm > 0
    )
    return shares_nm
