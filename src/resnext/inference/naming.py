"""From a network's logits to named classes. Legend: k classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class ClassScore:
    """A class and its probability.

    Attributes:
        label: Number of the output.
        name: Readable name of the class.
        probability: 0..1.
    """

    label: int
    name: str
    probability: float


def name_best(logits_k: npt.NDArray[Any], classes: Sequence[str], num: int) -> list[ClassScore]:
    """Name the most probable classes of one image, best first; of equal ones the first counts.

    Args:
        logits_k: What the network computed for it, of any type of float.
        classes: A name for each.
        num: How many classes to name, at most all.
    """
    wide_k = logits_k.astype(np.float64)
    powers_k = np.exp(wide_k - wide_k.max())
    shares_k = powers_k / powers_k.sum()
    best = np.argsort(-shares_k, kind="stable")[:num]
    return [ClassScore(int(label), classes[label], float(shares_k[label])) for label in best]
