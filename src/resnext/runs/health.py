"""What the figures of a training say in plain words: useless, exploding, overfitted."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from resnext.runs.config import TrainConfig

_EXPLODED = 3.0
_MIN_GAP = 20.0
_WORSE_LOSS = 1.25
_EARLY = 0.3

_REMEDY = (
    "Check that the images show what the folders say (resnext data check), train longer (--epochs) "
    "or start from trained weights (--weights)"
)

Kind = Literal["useless", "exploding", "overfitting"]


@dataclass(frozen=True)
class EpochFigures:
    """Figures of one epoch.

    Attributes:
        train_loss: Mean loss of the training images as they were varied, in nats.
        train_error: Their top-1 error in percent; None where labels were mixed.
        loss: Mean validation loss, in nats.
        top1_error: Top-1 error of the validation images, in percent.
        balanced_accuracy: Mean of their classes' accuracies, in percent; None where it was not
            recorded.
    """

    train_loss: float
    train_error: float | None
    loss: float
    top1_error: float
    balanced_accuracy: float | None = None


@dataclass(frozen=True)
class Finding:
    """Something wrong with a training.

    Attributes:
        kind: What it is.
        text: What was seen and what to do, in a sentence or two.
    """

    kind: Kind
    text: str


def judge_run(rows: Iterable[Mapping[str, Any]], config: TrainConfig) -> list[Finding]:
    """Judge a run by the lines of its `metrics.jsonl`.

    Args:
        rows: The lines; those that are no epochs, or of versions that did not say the error of
            guessing, are left out.
        config: The run's resolved settings.
    """
    epochs = [row for row in rows if "guess_error" in row]
    if not epochs:
        return []
    is_mixed = bool(config.augment.mixup or config.augment.cutmix)
    figures = [
        EpochFigures(
            train_loss=row.get("train_loss", 0.0),
            train_error=None if is_mixed else row.get("train_top1_error"),
            loss=row.get("loss", 0.0),
            top1_error=row.get("top1_error", 0.0),
            balanced_accuracy=row.get("balanced_accuracy"),
        )
        for row in epochs
    ]
    guess_error = float(epochs[-1]["guess_error"])
    return judge(
        figures,
        config.schedule.epochs,
        config.model.num_classes,
        guess_error,
        is_weighted=config.class_weights is not None,
    )


def judge(
    epochs: Sequence[EpochFigures],
    num_epochs: int,
    num_classes: int,
    guess_error: float,
    *,
    is_weighted: bool = False,
) -> list[Finding]:
    """Judge the epochs so far.

    Args:
        epochs: Their figures, from the first.
        num_epochs: Length of the whole training; its first third is not called useless yet.
        num_classes: Classes to choose from.
        guess_error: Validation error of always predicting the largest class, in percent.
        is_weighted: The loss weighs the classes. Then the largest class is given up on purpose,
            and the balanced accuracy says whether anything was learnt.

    Returns:
        What is wrong, the worst first; empty if nothing is.
    """
    if not epochs:
        return []
    found = [_exploding(epochs, num_epochs, num_classes)]
    if len(epochs) > _EARLY * num_epochs:
        found.append(
            _useless_balanced(epochs, num_classes)
            if is_weighted and epochs[-1].balanced_accuracy is not None
            else _useless(epochs, guess_error)
        )
        found.append(_overfitting(epochs))
    return [finding for finding in found if finding is not None]


def _exploding(epochs: Sequence[EpochFigures], num_epochs: int, num_classes: int) -> Finding | None:
    """Compare the loss with that of equal probabilities, ln K.

    Early in training the validation loss may be large for another reason: the running statistics
    of BN still lag behind the weights. Then the training loss alone decides.
    """
    last, guess = epochs[-1], math.log(max(num_classes, 2))
    is_early = len(epochs) < num_epochs and len(epochs) <= max(1.0, _EARLY * num_epochs)
    worst = last.train_loss if is_early else max(last.train_loss, last.loss)
    if worst <= _EXPLODED * guess + 1.0:
        return None
    return Finding(
        "exploding",
        f"the loss is {worst:.3g}, while equal probabilities would give {guess:.2f}: training "
        "diverges. Lower the learning rate (--lr) or clip the gradient "
        "(--set optim.clip_norm=1)",
    )


def _useless(epochs: Sequence[EpochFigures], guess_error: float) -> Finding | None:
    best = min(epoch.top1_error for epoch in epochs)
    if best < guess_error:
        return None
    return Finding(
        "useless",
        f"the best error, {best:.1f} %, is no better than guessing the largest class "
        f"({guess_error:.1f} %). {_REMEDY}",
    )


def _useless_balanced(epochs: Sequence[EpochFigures], num_classes: int) -> Finding | None:
    """Compare with one class for all images, which is right for all of one class."""
    best = max(epoch.balanced_accuracy or 0.0 for epoch in epochs)
    guess = 100.0 / max(num_classes, 1)
    if best > guess:
        return None
    return Finding(
        "useless",
        f"the best balanced accuracy, {best:.1f} %, is no better than guessing ({guess:.1f} %). "
        f"{_REMEDY}",
    )


def _overfitting(epochs: Sequence[EpochFigures]) -> Finding | None:
    """Look for a rising validation loss and a large gap between the errors."""
    last = epochs[-1]
    if last.train_error is None:
        return None
    lowest = min(epoch.loss for epoch in epochs)
    gap = last.top1_error - last.train_error
    if gap < _MIN_GAP or last.loss < _WORSE_LOSS * lowest:
        return None
    return Finding(
        "overfitting",
        f"the error is {last.train_error:.1f} % in training and {last.top1_error:.1f} % in "
        "validation, and the validation loss rises: the network learns the training images by "
        "heart. More images, stronger variation (--set augment.policy=trivialaugment) or trained "
        "weights (--weights) help",
    )
