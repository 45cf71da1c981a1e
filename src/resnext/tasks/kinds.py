"""The tasks by name, and what must be known of them without torch."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from resnext.data.config import TargetKind
from resnext.errors import ConfigError
from resnext.model.config import ModelConfig, SegmenterConfig
from resnext.tasks.measure import Measure
from resnext.untrusted.names import shown

if TYPE_CHECKING:
    from resnext.tasks.answer import Answer
    from resnext.tasks.task import Task, TaskOptions

DEFAULT_TASK = "classification"

Build = Callable[["TaskOptions"], "Task"]


@dataclass(frozen=True)
class TaskKind:
    """A task by its name.

    Attributes:
        name: What settings and weight files call it.
        targets: The kind of targets that it learns; the task of a run follows from them.
        measure: The figure that chooses the best epoch and compares networks.
        train_measure: A cheap figure of the training images, a mean over them.
        guess: What a network that has learned nothing does, in words, for comparison.
        guess_key: Name of its figure in logs.
        network: What a network with `{num}` outputs is, for people.
        usage: Turns the outputs into what they mean, as the end of a line of Python.
        outputs: What the outputs of the network are called.
        plot_label: What the figures of the epochs are called in a plot.
        also_plotted: Further figures drawn there: keys and labels.
        chance_loss: Its loss by the number of outputs, or None where there is no such bound.
        build: Builds the task, or where that is: `module:class`, imported when it is needed.
        answer: Returns the type of its answers, or where that is; it needs no torch.
        is_dense: Every pixel of an image has outputs of its own, k x h x w, and images are shown to
            the network at their own size.
    """

    name: str
    targets: TargetKind
    measure: Measure
    train_measure: Measure
    guess: str
    build: str | Build
    answer: str | Callable[[], type[Answer]]
    guess_key: str = "guess"
    network: str = "A network of {num} outputs"
    usage: str = ""
    outputs: str = "classes"
    plot_label: str = "figure"
    also_plotted: tuple[tuple[str, str], ...] = ()
    chance_loss: Callable[[int], float] | None = None
    is_dense: bool = False

    @property
    def curves(self) -> list[tuple[str, str]]:
        """Keys and labels of what is drawn over the epochs: training, validation, others."""
        return [
            (self.train_measure.key, self.train_measure.label),
            (self.measure.key, f"{self.measure.label}, validation"),
            *((key, f"{label}, validation") for key, label in self.also_plotted),
        ]

    @property
    def axis(self) -> str:
        """What the axis of these curves is called."""
        return f"{self.plot_label}, {self.measure.unit}".rstrip(", ")


_KINDS: dict[str, TaskKind] = {}


def register_task(kind: TaskKind) -> None:
    """Make a task known under its name, in place of one that had it.

    The first task that learns a kind of targets is the one that data of that kind lead to; others
    are chosen with `--set task=NAME`.
    """
    _KINDS[kind.name] = kind


def task_names() -> tuple[str, ...]:
    """Return the names of all tasks."""
    return tuple(_KINDS)


def task_kind(name: str) -> TaskKind:
    """Return a task by its name.

    Raises:
        ConfigError: There is none.
    """
    if name not in _KINDS:
        raise ConfigError(
            f"task={shown(name)}: there is no such task; accepted are {', '.join(_KINDS)}. "
            "One of a plugin needs --plugin FILE"
        )
    return _KINDS[name]


def task_for(targets: TargetKind) -> TaskKind:
    """Return the task that data with these targets lead to.

    Raises:
        ConfigError: No task learns them.
    """
    for kind in _KINDS.values():
        if kind.targets == targets:
            return kind
    raise ConfigError(
        f"no task learns targets of the kind {targets!r}; one of a plugin needs --plugin FILE"
    )


def fit_task(name: str, targets: TargetKind) -> TaskKind:
    """Return the task of a run: the one that was named, or the one that the data lead to.

    Args:
        name: What the settings say; the default one stands for none.
        targets: The targets of the data.

    Raises:
        ConfigError: The named task learns other targets, or no task learns these.
    """
    kind = task_kind(name)
    if kind.targets == targets:
        return kind
    if name == DEFAULT_TASK:
        return task_for(targets)
    raise ConfigError(
        f"task={name} learns targets of the kind {kind.targets!r}, the data have {targets!r}; "
        "leave the task out, or give other data"
    )


def check_network(kind: TaskKind, model: ModelConfig) -> None:
    """Refuse a network whose outputs are not those of a task.

    Raises:
        ConfigError: The task wants a class for each pixel and the network gives one an image, or
            the other way round.
    """
    is_dense = isinstance(model, SegmenterConfig)
    if is_dense == kind.is_dense:
        return
    if kind.is_dense:
        raise ConfigError(
            f"{kind.name} needs a network that gives every pixel a class, and {model.family} gives "
            "one for the image; put a head on it: --head deeplabv3, or a name such as "
            "deeplabv3_resnext50_32x4d"
        )
    raise ConfigError(
        f"{kind.name} needs a network that judges the whole image, and {model.family} gives every "
        "pixel a class; take the network behind it, such as resnext50_32x4d, or data with masks"
    )


def build_task(name: str, options: TaskOptions) -> Task:
    """Build a task.

    Raises:
        ConfigError: There is no such task, or an option does not go with it.
    """
    build = task_kind(name).build
    task: Task = (_imported(build) if isinstance(build, str) else build)(options)
    return task


def answer_type(name: str) -> type[Answer]:
    """Return the type of a task's answers.

    Raises:
        ConfigError: There is no such task.
    """
    found = task_kind(name).answer
    answers: type[Answer] = _imported(found) if isinstance(found, str) else found()
    return answers


def _imported(place: str) -> Any:
    module, _, attribute = place.partition(":")
    return getattr(importlib.import_module(module), attribute)


register_task(
    TaskKind(
        name=DEFAULT_TASK,
        targets="class",
        measure=Measure("top1_error", "top-1 error"),
        train_measure=Measure("train_top1_error", "top-1 error, training"),
        guess="always predicting the largest class",
        build="resnext.tasks.classification.task:Classification",
        answer="resnext.tasks.classification.answer:ClassAnswer",
        guess_key="guess_error",
        network="A classifier of {num} classes",
        usage=".softmax(dim=1)",
        plot_label="error",
        also_plotted=(("top5_error", "top-5"),),
        chance_loss=lambda num_classes: math.log(max(num_classes, 2)),
    )
)
register_task(
    TaskKind(
        name="multilabel",
        targets="labels",
        measure=Measure("mean_ap", "mAP", is_higher_better=True),
        train_measure=Measure("train_label_error", "wrong labels, training"),
        guess="giving every image the same scores",
        build="resnext.tasks.multilabel.task:MultiLabel",
        answer="resnext.tasks.multilabel.answer:LabelAnswer",
        outputs="labels",
        network="A network that says which of {num} labels apply",
        usage=".sigmoid()",
        plot_label="mAP and wrong labels",
        also_plotted=(("label_error", "wrong labels"),),
        chance_loss=lambda _: math.log(2),
    )
)
register_task(
    TaskKind(
        name="segmentation",
        targets="mask",
        measure=Measure("mean_iou", "mIoU", is_higher_better=True),
        train_measure=Measure("train_pixel_error", "wrong pixels, training"),
        guess="giving every pixel the most frequent class",
        build="resnext.tasks.segmentation.task:Segmentation",
        answer="resnext.tasks.segmentation.answer:MaskAnswer",
        network="A network that gives every pixel one of {num} classes",
        usage=".argmax(dim=1)",
        plot_label="mIoU and wrong pixels",
        also_plotted=(("pixel_error", "wrong pixels"),),
        chance_loss=lambda num_classes: math.log(max(num_classes, 2)),
        is_dense=True,
    )
)
