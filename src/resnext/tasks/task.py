"""What a network learns, as one object. Legend: b images, v views of an image."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from resnext.data.loading.batch import Batch
from resnext.errors import ConfigError
from resnext.tasks.kinds import TaskKind
from resnext.tasks.measure import Measure
from resnext.tasks.section import ReportInput, Section, class_section


@dataclass(frozen=True)
class TaskOptions:
    """What a task is built from.

    Attributes:
        classes: Names of the network's outputs.
        loss: Name of the loss; `auto` is the task's own.
        label_smoothing: Share of a label spread over the others.
        class_weights_k: Weight of each class in the loss, float32, or None.
        thresholds: Of a trained network, the probability from which on each label applies.
    """

    classes: tuple[str, ...]
    loss: str = "auto"
    label_smoothing: float = 0.0
    class_weights_k: torch.Tensor | None = None
    thresholds: tuple[float, ...] = ()


class Result(Protocol):
    """What an evaluation found."""

    @property
    def num_images(self) -> int:
        """Images that were looked at."""
        ...

    @property
    def loss(self) -> float:
        """Mean loss of an image."""
        ...

    def figures(self) -> dict[str, float | None]:
        """Return the figures of an epoch, the task's measure among them."""
        ...

    def as_dict(self, classes: tuple[str, ...]) -> dict[str, Any]:
        """Return all figures as JSON values.

        Args:
            classes: Names of the outputs.
        """
        ...

    def card_fields(self) -> Mapping[str, Any]:
        """Return what the card of the weights must know, such as thresholds; mostly nothing."""
        ...


class Tally(Protocol):
    """Counts batch by batch; whatever the number of processes, the result is the same."""

    def add(
        self, answers_b: torch.Tensor, targets_b: torch.Tensor, indices_b: torch.Tensor
    ) -> None:
        """Count one batch.

        Args:
            answers_b: What `Task.merge_views` returned.
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
        """Turn what was counted into figures.

        Raises:
            DataError: No image was counted.
            CheckpointError: The network's outputs are not numbers, and all figures were asked for.
        """
        ...


class Task(ABC):
    """What a network learns.

    Attributes:
        kind: Its name, its targets and its measure.
        losses: The losses to choose from; the first is the default.
        class_columns: Figures of a class for people, after its name: their keys and measures.
        worst_key: The figure by which the worst classes are found, the lowest first.
        options: What it was built from.
    """

    kind: TaskKind
    losses: tuple[str, ...] = ("auto",)
    class_columns: tuple[Measure, ...] = ()
    worst_key: str = ""

    def __init__(self, options: TaskOptions) -> None:
        """Take the options.

        Raises:
            ConfigError: One of them does not go with this task.
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

    @abstractmethod
    def loss(self, outputs_b: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Return the loss of a batch: a mean over its images, so that parts add up.

        Args:
            outputs_b: What the network returned.
            batch: The targets, and the shares of mixed ones.
        """

    @abstractmethod
    def train_sum(self, outputs_b: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Return the sum over a training batch's images of `kind.train_measure`.

        Of a measure in percent, each image counts 0 to 1.
        """

    @abstractmethod
    def merge_views(self, outputs_b: torch.Tensor, num_views: int) -> torch.Tensor:
        """Make one answer of the outputs for an image's views.

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
            full: Count all that a report shows, not only the figures of an epoch.
        """

    @abstractmethod
    def rows(self, figures: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return the figures of an evaluation for people: names and values, in order.

        Args:
            figures: What `Result.as_dict` returned.
        """

    def report(self, given: ReportInput) -> Section:
        """Return the task's part of a report; by default a table of its classes."""
        return class_section(given.figures, self.class_columns, self.worst_key)

    @abstractmethod
    def guess(self, train_targets_n: torch.Tensor, val_targets_n: torch.Tensor) -> float:
        """Return the measure, on the validation images, of a network that has learned nothing."""
