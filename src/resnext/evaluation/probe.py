"""Evaluates a frozen network's features with classifiers fitted on them.

Legend: n images, d features, k classes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import torch

from resnext.errors import DataError
from resnext.evaluation.feature_source import FeatureSource, SplitName
from resnext.evaluation.knn import Neighbours, knn_scores
from resnext.evaluation.linear_probe import fit_linear

Method = Literal["linear", "knn"]

_NUM_GUESSES = 5
_MAX_SCORES = 2**24  # 128 MiB in float64


@dataclass(frozen=True)
class FrozenSplit:
    """The features of all images of a split.

    Attributes:
        features_nd: float32.
        labels_n: Classes, int64.
    """

    features_nd: torch.Tensor
    labels_n: torch.Tensor


@dataclass(frozen=True)
class ProbeResult:
    """One classifier's errors on the validation images.

    Attributes:
        method: The classifier.
        top1_error: Percent.
        top5_error: Percent; None with five classes or fewer.
        num_train: Images it was fitted on.
        num_images: Validation images.
        settings: Given or selected settings of the classifier.
    """

    method: Method
    top1_error: float
    top5_error: float | None
    num_train: int
    num_images: int
    settings: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return settings and errors as JSON values."""
        values = asdict(self)
        settings: dict[str, Any] = values.pop("settings")
        return values | settings


def read_split(source: FeatureSource, name: SplitName) -> FrozenSplit:
    """Compute the features of a whole split; they must fit in memory.

    Raises:
        DataError: The split is empty.
    """
    num, filled = len(source.splits[name]), 0
    features_nd, labels_n = torch.empty(0), torch.empty(num, dtype=torch.int64)
    for batch in source.read(name):
        if not filled:
            features_nd = torch.empty(num, batch.features_bd.shape[1])
        end = filled + len(batch.labels_b)
        features_nd[filled:end], labels_n[filled:end] = batch.features_bd, batch.labels_b
        filled = end
    if not filled:
        raise DataError(f"there are no images to embed: the {name} split is empty or unreadable")
    return FrozenSplit(features_nd[:filled], labels_n[:filled])  # bad files leave rows unused


def probe_knn(
    train: FrozenSplit,
    val: FrozenSplit,
    num_classes: int,
    neighbours: Neighbours,
    device: torch.device | None = None,
) -> ProbeResult:
    """Classify each validation image by its nearest training images.

    Raises:
        ConfigError: There are fewer training images than neighbours.
    """

    def score(features_bd: torch.Tensor) -> torch.Tensor:
        return knn_scores(
            train.features_nd,
            train.labels_n,
            features_bd,
            num_classes=num_classes,
            neighbours=neighbours,
            device=device,
        )

    settings: dict[str, Any] = asdict(neighbours)
    if neighbours.temperature == math.inf:
        settings["temperature"] = "inf"  # JSON has no infinity
    return _result("knn", score, num_classes, train, val, settings)


def probe_linear(
    train: FrozenSplit, val: FrozenSplit, num_classes: int, seed: int = 0
) -> ProbeResult:
    """Fit logistic regression on the training images, and classify the validation images.

    Raises:
        DataError: There are too few training images to fit.
    """
    probe = fit_linear(train.features_nd.numpy(), train.labels_n.numpy(), num_classes, seed)
    settings = {"c": probe.c, "converged": probe.converged, "seed": seed}

    def score(features_bd: torch.Tensor) -> torch.Tensor:
        return probe.scores(features_bd.numpy())

    return _result("linear", score, num_classes, train, val, settings)


def percent_wrong(scores_nk: torch.Tensor, labels_n: torch.Tensor) -> tuple[float, float | None]:
    """Return the top-1 and top-5 error in percent; top-5 is None with five classes or fewer.

    On ties the class with the smaller number is preferred. A score of minus infinity is never a
    guess, even if among the five largest.
    """
    guesses = scores_nk.sort(dim=1, descending=True, stable=True)
    hits_nk = (guesses.indices == labels_n[:, None]) & (guesses.values > -torch.inf)
    top1 = 100.0 * (1.0 - float(hits_nk[:, 0].double().mean()))
    if scores_nk.shape[1] <= _NUM_GUESSES:
        return top1, None
    return top1, 100.0 * (1.0 - float(hits_nk[:, :_NUM_GUESSES].any(dim=1).double().mean()))


def _result(
    method: Method,
    score: Callable[[torch.Tensor], torch.Tensor],
    num_classes: int,
    train: FrozenSplit,
    val: FrozenSplit,
    settings: dict[str, Any],
) -> ProbeResult:
    """Score the validation images in chunks, to limit memory with many classes."""
    num, rows = len(val.labels_n), max(1, _MAX_SCORES // num_classes)
    wrong1, wrong5 = 0.0, 0.0
    for start in range(0, num, rows):
        labels_b = val.labels_n[start : start + rows]
        top1, top5 = percent_wrong(score(val.features_nd[start : start + rows]), labels_b)
        wrong1 += top1 * len(labels_b)
        wrong5 += (top5 or 0.0) * len(labels_b)
    top5_error = wrong5 / num if num_classes > _NUM_GUESSES else None
    return ProbeResult(method, wrong1 / num, top5_error, len(train.labels_n), num, settings)
