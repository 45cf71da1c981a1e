"""Diagnoses training from its metrics: learned nothing, diverged, overfitted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from resnext.data.set_names import SIGNAL_NAMES
from resnext.runs.config import TrainConfig
from resnext.tasks.kinds import TaskKind, task_kind

_EXPLODED = 3.0
_MIN_GAP = 20.0
_WORSE_LOSS = 1.25
_EARLY = 0.3

_REMEDY = (
    "Check that the labels are correct (resnext data check), train longer (--epochs) or start "
    "from trained weights (--weights)"
)

_AGAINST_OVERFITTING = (
    "More images, stronger augmentation (--set augment.policy=trivialaugment) or pretrained "
    "weights (--weights) help"
)
_AGAINST_OVERFITTING_SIGNALS = (
    "More data, stronger augmentation (resnext settings signal_augment) or an end before the loss "
    "rises (--early-stopping) help"
)

Kind = Literal["useless", "exploding", "overfitting"]


@dataclass(frozen=True)
class EpochFigures:
    """Metrics of one epoch.

    Attributes:
        train_loss: Mean loss of the augmented training images.
        train_value: The task's measure of the training images; None if targets were mixed.
        loss: Mean validation loss.
        value: The task's measure of the validation images.
        balanced_accuracy: Mean of the classes' accuracies, in percent; None if not recorded.
    """

    train_loss: float
    train_value: float | None
    loss: float
    value: float
    balanced_accuracy: float | None = None


@dataclass(frozen=True)
class Finding:
    """A problem found in training.

    Attributes:
        kind: Kind of problem.
        text: What was observed and what to do, in a sentence or two.
    """

    kind: Kind
    text: str


def judge_run(rows: Iterable[Mapping[str, Any]], config: TrainConfig) -> list[Finding]:
    """Diagnose a run from the lines of its `metrics.jsonl`.

    Args:
        rows: The lines; those that are not epochs, or were written by versions that did not record
            the result of guessing, are skipped.
        config: The run's resolved settings.
    """
    kind = task_kind(config.task)
    epochs = [row for row in rows if kind.guess_key in row]
    if not epochs:
        return []
    is_mixed = bool(config.augment.mixup or config.augment.cutmix)
    figures = [
        EpochFigures(
            train_loss=row.get("train_loss", 0.0),
            train_value=None if is_mixed else row.get(kind.train_measure.key),
            loss=row.get("loss", 0.0),
            value=row.get(kind.measure.key, 0.0),
            balanced_accuracy=row.get("balanced_accuracy"),
        )
        for row in epochs
    ]
    return judge(
        figures,
        config.schedule.epochs,
        kind,
        config.model.num_classes,
        float(epochs[-1][kind.guess_key]),
        is_weighted=config.class_weights is not None,
        is_signal=config.data.name in SIGNAL_NAMES,
    )


def judge(
    epochs: Sequence[EpochFigures],
    num_epochs: int,
    kind: TaskKind,
    num_outputs: int,
    guess: float,
    *,
    is_weighted: bool = False,
    is_signal: bool = False,
) -> list[Finding]:
    """Diagnose the epochs so far.

    Args:
        epochs: Their metrics, from the first epoch.
        num_epochs: Epochs of the whole training; in its first third, learning nothing is not
            reported yet.
        kind: The task.
        num_outputs: Number of outputs of the network, such as classes.
        guess: The measure of a network that has learned nothing.
        is_weighted: Whether the loss weights the classes. If so, the largest class is deliberately
            weighted down, and the balanced accuracy decides whether anything was learned.
        is_signal: Whether the data are signals, which have their own augmentation.

    Returns:
        The problems, worst first; empty if there are none.
    """
    if not epochs:
        return []
    found = [_exploding(epochs, num_epochs, kind, num_outputs)]
    if len(epochs) > _EARLY * num_epochs:
        found.append(
            _useless_balanced(epochs, num_outputs)
            if is_weighted and epochs[-1].balanced_accuracy is not None
            else _useless(epochs, kind, guess)
        )
        remedy = _AGAINST_OVERFITTING_SIGNALS if is_signal else _AGAINST_OVERFITTING
        found.append(_overfitting(epochs, kind, remedy))
    return [finding for finding in found if finding is not None]


def _exploding(
    epochs: Sequence[EpochFigures], num_epochs: int, kind: TaskKind, num_outputs: int
) -> Finding | None:
    """Compare the loss with that of uniform probabilities, which is ln K for K classes.

    Early in training the validation loss may be large because the running statistics of BN lag
    behind the weights; then only the training loss counts.
    """
    if kind.chance_loss is None:
        return None
    last, guess = epochs[-1], kind.chance_loss(num_outputs)
    is_early = len(epochs) < num_epochs and len(epochs) <= max(1.0, _EARLY * num_epochs)
    worst = last.train_loss if is_early else max(last.train_loss, last.loss)
    if worst <= _EXPLODED * guess + 1.0:
        return None
    return Finding(
        "exploding",
        f"the loss is {worst:.3g}, but uniform probabilities would give {guess:.2f}: training "
        "diverges. Lower the learning rate (--lr) or clip the gradient (--set optim.clip_norm=1)",
    )


def _useless(epochs: Sequence[EpochFigures], kind: TaskKind, guess: float) -> Finding | None:
    measure = kind.measure
    best = min((epoch.value for epoch in epochs), key=measure.cost)
    if measure.is_better(best, guess) and abs(best - guess) >= kind.min_gain:
        return None
    compared = "hardly better" if measure.is_better(best, guess) else "no better"
    return Finding(
        "useless",
        f"the best {measure.label}, {measure.write(best)}, is {compared} than {kind.guess} "
        f"({measure.write(guess)}). {_REMEDY}",
    )


def _useless_balanced(epochs: Sequence[EpochFigures], num_classes: int) -> Finding | None:
    """Compare with predicting one class for all images."""
    best = max(epoch.balanced_accuracy or 0.0 for epoch in epochs)
    guess = 100.0 / max(num_classes, 1)
    if best > guess:
        return None
    return Finding(
        "useless",
        f"the best balanced accuracy, {best:.1f} %, is no better than guessing ({guess:.1f} %). "
        f"{_REMEDY}",
    )


def _overfitting(epochs: Sequence[EpochFigures], kind: TaskKind, remedy: str) -> Finding | None:
    """Look for a rising validation loss and a large gap between the errors, in percent."""
    last, measure = epochs[-1], kind.measure
    is_comparable = measure.unit == "%" and kind.train_measure.key == f"train_{measure.key}"
    if last.train_value is None or not is_comparable:
        return None
    lowest = min(epoch.loss for epoch in epochs)
    gap = measure.cost(last.value) - measure.cost(last.train_value)
    if gap < _MIN_GAP or last.loss < _WORSE_LOSS * lowest:
        return None
    return Finding(
        "overfitting",
        f"the {measure.label} is {measure.write(last.train_value)} in training and "
        f"{measure.write(last.value)} in validation, and the validation loss rises: the network "
        f"is overfitting. {remedy}",
    )
