"""The result of evaluating labels. Legend: n images, k labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnext.tasks.multilabel import scores


@dataclass(frozen=True)
class MultiLabelResult:
    """The metrics of one evaluation; all but the loss are in percent.

    Labels that are unknown for an image are ignored.

    Attributes:
        indices_n: Numbers of the images in their split, increasing.
        logits_nk: Outputs of the network, float32.
        targets_nk: 1, 0 or -1, int8.
        thresholds: Thresholds of the network; without them they are selected on these images.
    """

    indices_n: NDArray[np.int64]
    logits_nk: NDArray[np.float32]
    targets_nk: NDArray[np.int8]
    thresholds: tuple[float, ...] = ()

    @property
    def num_images(self) -> int:
        """Number of evaluated images."""
        return len(self.indices_n)

    @cached_property
    def probs_nk(self) -> NDArray[np.float64]:
        """Probability of each label; 0 for NaN."""
        logits_nk = np.nan_to_num(self.logits_nk.astype(np.float64), nan=-np.inf)
        with np.errstate(over="ignore"):
            probs_nk: NDArray[np.float64] = 1.0 / (1.0 + np.exp(-logits_nk))
        return probs_nk

    @cached_property
    def losses_n(self) -> NDArray[np.float64]:
        """Mean binary cross-entropy of each image's known labels."""
        logits_nk = self.logits_nk.astype(np.float64)
        applies_nk, is_known_nk = self.targets_nk == 1, self.targets_nk >= 0
        signed_nk = np.where(applies_nk, logits_nk, -logits_nk)
        with np.errstate(invalid="ignore"):  # of a network that has diverged
            losses_nk = np.where(is_known_nk, np.logaddexp(0.0, -signed_nk), 0.0)
        losses_n: NDArray[np.float64] = losses_nk.sum(axis=1) / np.maximum(
            is_known_nk.sum(axis=1), 1
        )
        return losses_n

    @property
    def loss(self) -> float:
        """Mean loss of an image."""
        return float(self.losses_n.mean())

    @cached_property
    def chosen_thresholds(self) -> tuple[float, ...]:
        """The network's thresholds, or for each label the one with the highest F1 here."""
        if self.thresholds:
            return self.thresholds
        return tuple(scores.best_threshold(*self._known(k)) for k in range(self._num_labels))

    @cached_property
    def average_precisions(self) -> list[float | None]:
        """Average precision of each label."""
        return [scores.average_precision(*self._known(k)) for k in range(self._num_labels)]

    @property
    def mean_ap(self) -> float:
        """Mean over the labels that apply to any image; 0 if none does."""
        return mean_known(self.average_precisions) or 0.0

    @property
    def label_error(self) -> float:
        """Share of wrong known labels at a threshold of 0.5."""
        is_known_nk = self.targets_nk >= 0
        wrong_nk = (self.probs_nk > scores.DEFAULT_THRESHOLD) != (self.targets_nk == 1)
        return 100.0 * int((wrong_nk & is_known_nk).sum()) / max(int(is_known_nk.sum()), 1)

    def figures(self) -> dict[str, float | None]:
        """Return the figures of an epoch."""
        return {"mean_ap": self.mean_ap, "label_error": self.label_error, "loss": self.loss}

    def card_fields(self) -> dict[str, Any]:
        """Return the thresholds, which are stored with the weights."""
        return {"thresholds": self.chosen_thresholds}

    def as_dict(self, classes: Sequence[str]) -> dict[str, Any]:
        """Return all figures as JSON values.

        Args:
            classes: Names of the labels.
        """
        aucs = self._of_each(scores.area_under_roc)
        f1s = [self._f1(k) for k in range(self._num_labels)]
        by_label = zip(
            *(self._num_applying(), self.average_precisions, aucs, f1s, self.chosen_thresholds),
            strict=True,
        )
        names = ("images", "ap", "auc", "f1", "threshold")
        return {
            "num_images": self.num_images,
            **self.figures(),
            "mean_auc": mean_known(aucs),
            "macro_f1": mean_known(f1s),
            "micro_f1": self._micro_f1(),
            "thresholds_from": "the weights" if self.thresholds else "these images",
            "per_class": {
                name: dict(zip(names, values, strict=True))
                for name, values in zip(classes, by_label, strict=True)
            },
        }

    @property
    def _num_labels(self) -> int:
        return int(self.logits_nk.shape[1])

    def _known(self, label: int) -> tuple[scores.Scores, scores.Applies]:
        """Return the probabilities of the images with a known label, and whether it applies."""
        is_known_n = self.targets_nk[:, label] >= 0
        return self.probs_nk[is_known_n, label], self.targets_nk[is_known_n, label] == 1

    def _of_each(
        self, figure: Callable[[scores.Scores, scores.Applies], float | None]
    ) -> list[float | None]:
        return [figure(*self._known(label)) for label in range(self._num_labels)]

    def _num_applying(self) -> list[int]:
        counts: list[int] = (self.targets_nk == 1).sum(axis=0).tolist()
        return counts

    def _f1(self, label: int) -> float | None:
        probs_n, applies_n = self._known(label)
        return scores.f1_score(probs_n >= self.chosen_thresholds[label], applies_n)

    def _micro_f1(self) -> float | None:
        is_known_nk = self.targets_nk >= 0
        given_nk = self.probs_nk >= np.array(self.chosen_thresholds)
        return scores.f1_score(given_nk[is_known_nk], self.targets_nk[is_known_nk] == 1)


def mean_known(values: Sequence[float | None]) -> float | None:
    """Return the mean of the known values; None if there are none."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
