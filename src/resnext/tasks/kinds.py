"""The tasks by name, and facts about them that need no torch."""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from resnext.data.config import TargetKind
from resnext.errors import ConfigError
from resnext.model.config import DetectorConfig, ModelConfig, SegmenterConfig
from resnext.tasks.measure import Measure
from resnext.untrusted.names import shown

if TYPE_CHECKING:
    from resnext.tasks.answer import Answer
    from resnext.tasks.task import Task, TaskOptions

DEFAULT_TASK = "classification"

Build = Callable[["TaskOptions"], "Task"]


@dataclass(frozen=True)
class TaskKind:
    """A kind of task.

    Attributes:
        name: Its name in settings and weight files.
        targets: The kind of its targets, which determine the task of a run.
        measure: The metric that selects the best epoch and compares networks.
        train_measure: A cheap metric, averaged over the training images.
        guess: Description of guessing, for comparison.
        guess_key: Name of its value in logs.
        min_gain: How much better than guessing a network must be to have learned something.
        network: Description of a network with `{num}` outputs.
        usage: Python code that interprets the outputs, as the end of a line.
        outputs: Name of the outputs of the network.
        plot_label: Axis label of the metrics of epochs in a plot.
        also_plotted: Further plotted metrics: keys and labels.
        chance_loss: Loss of guessing by number of outputs, or None if there is no such bound.
        build: Builds the task, or its location `module:class`, imported on demand.
        answer: Returns the type of its answers, or its location; it needs no torch.
        is_dense: Whether every pixel has its own outputs, k x h x w, and images are processed at
            their own size.
        finds_objects: Whether the network finds objects; images are processed at their own size.
    """

    name: str
    targets: TargetKind
    measure: Measure
    train_measure: Measure
    guess: str
    build: str | Build
    answer: str | Callable[[], type[Answer]]
    guess_key: str = "guess"
    min_gain: float = 0.0
    network: str = "A network of {num} outputs"
    usage: str = ""
    outputs: str = "classes"
    plot_label: str = "figure"
    also_plotted: tuple[tuple[str, str], ...] = ()
    chance_loss: Callable[[int], float] | None = None
    is_dense: bool = False
    finds_objects: bool = False

    @property
    def shares_axis(self) -> bool:
        """Whether the measures of training and validation have the same unit."""
        return self.train_measure.unit == self.measure.unit

    @property
    def curves(self) -> list[tuple[str, str]]:
        """Keys and labels of the curves over epochs: training, validation, others.

        A measure of training in another unit is left out.
        """
        return [
            *([(self.train_measure.key, self.train_measure.label)] if self.shares_axis else []),
            (self.measure.key, f"{self.measure.label}, validation"),
            *((key, f"{label}, validation") for key, label in self.also_plotted),
        ]

    @property
    def axis(self) -> str:
        """Axis label of these curves."""
        return f"{self.plot_label}, {self.measure.unit}".rstrip(", ")


_KINDS: dict[str, TaskKind] = {}


def register_task(kind: TaskKind) -> None:
    """Register a task under its name, replacing one of the same name.

    The first task for a kind of targets is its default; select others with `--set task=NAME`.
    """
    _KINDS[kind.name] = kind


def task_names() -> tuple[str, ...]:
    """Return the names of all tasks."""
    return tuple(_KINDS)


def task_kind(name: str) -> TaskKind:
    """Return a task by name.

    Raises:
        ConfigError: There is none.
    """
    if name not in _KINDS:
        raise ConfigError(
            f"task={shown(name)}: there is no such task; accepted are {', '.join(_KINDS)}. A "
            "plugin's task needs --plugin FILE"
        )
    return _KINDS[name]


def task_for(targets: TargetKind) -> TaskKind:
    """Return the default task for targets.

    Raises:
        ConfigError: There is no task for them.
    """
    for kind in _KINDS.values():
        if kind.targets == targets:
            return kind
    raise ConfigError(
        f"there is no task for targets of the kind {targets!r}; a plugin's task needs --plugin FILE"
    )


def fit_task(name: str, targets: TargetKind) -> TaskKind:
    """Return the task of a run: the given one, or the default for the data.

    Args:
        name: The task in the settings; the default means none.
        targets: The targets of the data.

    Raises:
        ConfigError: The given task has other targets, or there is no task for these.
    """
    kind = task_kind(name)
    if kind.targets == targets:
        return kind
    if name == DEFAULT_TASK:
        return task_for(targets)
    raise ConfigError(
        f"task={name} needs targets of the kind {kind.targets!r}, but the data have {targets!r}; "
        "leave out the task, or give other data"
    )


def check_targets(kind: TaskKind, name: str, targets: TargetKind) -> None:
    """Check that data have what a network has learned.

    Args:
        kind: What it has learned.
        name: Name of the data set.
        targets: The targets of the data.

    Raises:
        ConfigError: They have other targets.
    """
    if kind.targets != targets:
        raise ConfigError(
            f"the network has learned {kind.name}, for targets of the kind {kind.targets!r}; "
            f"{name} has {targets!r}: give data like those of training"
        )


def check_network(kind: TaskKind, model: ModelConfig) -> None:
    """Check that a network's outputs fit a task.

    Raises:
        ConfigError: The network is for another kind of task.
    """
    is_dense, is_detector = (isinstance(model, c) for c in (SegmenterConfig, DetectorConfig))
    if (is_dense, is_detector) == (kind.is_dense, kind.finds_objects):
        return
    does = "gives one class per image"
    if is_dense or is_detector:
        does = "gives every pixel a class" if is_dense else "finds objects"
    if kind.is_dense:
        raise ConfigError(
            f"{kind.name} needs a network that gives every pixel a class, but {model.family} "
            f"{does}; add a head: --head deeplabv3, or a name such as deeplabv3_resnext50_32x4d"
        )
    if kind.finds_objects:
        raise ConfigError(
            f"{kind.name} needs a network that finds objects, but {model.family} {does}; add a "
            "head: --head retinanet, or a name such as retinanet_resnext50_32x4d"
        )
    raise ConfigError(
        f"{kind.name} needs a network that classifies the whole image, but {model.family} {does}; "
        "use its backbone, such as resnext50_32x4d, or data with masks or boxes"
    )


def build_task(name: str, options: TaskOptions) -> Task:
    """Build a task.

    Raises:
        ConfigError: There is no such task, or it does not support an option.
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
register_task(
    TaskKind(
        name="detection",
        targets="boxes",
        measure=Measure("ap", "AP", is_higher_better=True, digits=1),
        train_measure=Measure("train_box_loss", "loss of the boxes, training", unit="", digits=4),
        guess="finding the same objects in every image",
        min_gain=1.0,
        build="resnext.tasks.detection.task:Detection",
        answer="resnext.tasks.detection.answer:BoxAnswer",
        network="A network that finds objects of {num} classes",
        plot_label="AP",
        also_plotted=(("ap50", "AP50"), ("ap75", "AP75")),
        finds_objects=True,
    )
)
