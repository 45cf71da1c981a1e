"""The interface of a task. Legend: b images, v views of an image."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import nn

from resnext.data.loading.batch import Batch
from resnext.data.split import Split
from resnext.errors import ConfigError
from resnext.tasks.kinds import TaskKind
from resnext.tasks.measure import Measure
from resnext.tasks.section import ReportInput, Section, class_section


@dataclass(frozen=True)
class TaskOptions:
    """The options of a task.

    Attributes:
        classes: Names of the network's outputs.
        loss: Name of the loss; `auto` uses the task's default.
        label_smoothing: Fraction of the label spread over all classes.
        class_weights_k: Weight of each class in the loss, float32, or None.
        thresholds: For a trained network, the probability from which each label applies.
    """

    classes: tuple[str, ...]
    loss: str = "auto"
    label_smoothing: float = 0.0
    class_weights_k: torch.Tensor | None = None
    thresholds: tuple[float, ...] = ()


class Result(Protocol):
    """The result of an evaluation."""

    @property
    def num_images(self) -> int:
        """Number of evaluated images."""
        ...

    @property
    def loss(self) -> float:
        """Mean loss of an image."""
        ...

    def figures(self) -> dict[str, float | None]:
        """Return the metrics of an epoch, including the task's measure."""
        ...

    def as_dict(self, classes: tuple[str, ...]) -> dict[str, Any]:
        """Return all figures as JSON values.

        Args:
            classes: Names of the outputs.
        """
        ...

    def card_fields(self) -> Mapping[str, Any]:
        """Return values for the card of the weights, such as thresholds; usually empty."""
        ...


class Tally(Protocol):
    """Accumulates batches; the result is the same for any number of processes."""

    def add(self, answers_b: Any, targets_b: torch.Tensor, indices_b: torch.Tensor) -> None:
        """Count one batch.

        Args:
            answers_b: Result of `Task.merge_views`.
            targets_b: The targets.
            indices_b: Numbers of the images in their split, int64.
        """
        ...

    def add_other_processes(self, device: torch.device) -> None:
        """Add what all other processes counted; each of them must call this too.

        Args:
            device: Where the process group exchanges tensors: a GPU for NCCL.
        """
        ...

    def result(self) -> Result:
        """Compute the metrics.

        Raises:
            DataError: There were no images.
            CheckpointError: The network's outputs are NaN, and all metrics are requested.
        """
        ...


class Task(ABC):
    """A task: losses, metrics and reports.

    Attributes:
        kind: Its name, targets and measure.
        losses: The available losses; the first is the default.
        class_columns: Displayed metrics of a class: keys and measures.
        worst_key: The metric for sorting the worst classes, lowest first.
        loss_parts: Names of the parts of a loss that is a sum, for the log.
        options: Its options.
    """

    kind: TaskKind
    losses: tuple[str, ...] = ("auto",)
    class_columns: tuple[Measure, ...] = ()
    worst_key: str = ""
    loss_parts: tuple[str, ...] = ()

    def __init__(self, options: TaskOptions) -> None:
        """Take the options.

        Raises:
            ConfigError: The task does not support one of them.
        """
        if options.loss != "auto" and options.loss not in self.losses:
            raise ConfigError(
                f"loss={options.loss}: {self.kind.name} takes {', '.join(self.losses)}"
            )
        self.options = options

    @property
    def loss_name(self) -> str:
        """The loss in use."""
        return self.losses[0] if self.options.loss == "auto" else self.options.loss

    def inputs(self, batch: Batch) -> tuple[Any, ...]:
        """Return what the network is called with in training."""
        return (batch.images_bchw,)

    @abstractmethod
    def loss(self, outputs_b: Any, batch: Batch) -> torch.Tensor:
        """Return the loss of a batch: a mean over its images, so that parts add up.

        Args:
            outputs_b: Outputs of the network.
            batch: The targets, and the fractions of mixed ones.
        """

    @abstractmethod
    def train_sum(self, outputs_b: Any, batch: Batch) -> torch.Tensor:
        """Return the sum over a training batch's images of `kind.train_measure`.

        For a measure in percent, each image counts 0 to 1.
        """

    def part_sums(self, outputs_b: Any, batch: Batch) -> tuple[torch.Tensor, ...]:
        """Return the sum over a training batch's images of each of `loss_parts`."""
        del outputs_b, batch
        return ()

    def predict(
        self, model: nn.Module, batch: Batch, class_subset: Sequence[int] | None = None
    ) -> Any:
        """Return a network's outputs for the images of a batch, for `merge_views`.

        Args:
            model: The network, in evaluation mode.
            batch: The images.
            class_subset: The output of each class of the data set, if not the identity; other
                outputs are left out.

        Raises:
            ConfigError: The outputs do not fit the classes.
        """
        outputs_b = model(batch.images_bchw)
        if class_subset is not None:
            columns_k = torch.tensor(class_subset, device=outputs_b.device)
            outputs_b = outputs_b.index_select(1, columns_k)
        if outputs_b.shape[1] != len(self.options.classes):
            raise ConfigError(
                f"the network has {outputs_b.shape[1]} classes, but the data set has "
                f"{len(self.options.classes)}; evaluate on the training data set or one with the "
                "same class names"
            )
        return outputs_b

    @abstractmethod
    def merge_views(self, outputs_b: Any, num_views: int) -> Any:
        """Merge the outputs for an image's views into one answer.

        Args:
            outputs_b: Outputs of b·v rows, the views of one image together.
            num_views: Views of each image.

        Returns:
            b answers, float32 or wider.
        """

    @abstractmethod
    def tally(self, *, full: bool) -> Tally:
        """Return an empty tally.

        Args:
            full: Collect everything that a report shows, not only the metrics of an epoch.
        """

    @abstractmethod
    def rows(self, figures: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return the displayed metrics of an evaluation: names and values, in order.

        Args:
            figures: Result of `Result.as_dict`.
        """

    def report(self, given: ReportInput) -> Section:
        """Return the task's part of a report; by default a table of its classes."""
        return class_section(given.figures, self.class_columns, self.worst_key)

    @abstractmethod
    def guess(self, train: Split, val: Split) -> float:
        """Return the measure, on the validation images, of a network that has learned nothing.

        Args:
            train: Training images, with their targets.
            val: Validation images.
        """
