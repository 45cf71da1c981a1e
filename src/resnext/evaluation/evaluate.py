"""Run a network over a split and measure it. Legend: b images, v views of each, k classes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
import torch.distributed as dist
from torch import nn

from resnext.data.loading.batch import Batch
from resnext.evaluation.protocols import nearest_listed
from resnext.tasks.task import Result, Task


def evaluate(
    model: nn.Module,
    loader: Iterable[Batch],
    task: Task,
    *,
    device: torch.device,
    autocast: Callable[[], AbstractContextManager[object]] | None = None,
    full: bool = True,
    class_subset: Sequence[int] | None = None,
    real_labels: Sequence[Sequence[int]] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Result:
    """Measure a network on the images of a loader.

    In a process group every process evaluates its own images and all return the metrics of all
    images; the loaders must divide the images without padding.

    Args:
        model: The network, on `device`; it is left in evaluation mode.
        loader: Batches; the answers for an image's views are averaged.
        task: Task of the network, with the classes of the data set.
        device: Device of the network.
        autocast: Creates the context to run the network in; by default full precision.
        full: Compute everything that a report shows, not only the metrics of an epoch.
        class_subset: For a classifier, the output of each class of the data set, if not the
            identity; other outputs are ignored.
        real_labels: All acceptable classes of each image of the split; see
            `protocols.load_real_labels`.
        progress: Called with the number of images after each batch.

    Raises:
        ConfigError: The network's outputs do not fit the task's classes.
        DataError: There are no images, or too many are bad.
    """
    model.eval()
    tally = task.tally(full=full)
    for batch in loader:
        with torch.no_grad(), (autocast or nullcontext)():
            outputs_b = task.predict(model, batch, class_subset)
        answers_b = task.merge_views(outputs_b, batch.num_views)
        targets_b, indices_b = batch.targets_b, batch.indices_b
        if real_labels is not None:
            listed = [real_labels[index] for index in indices_b.tolist()]
            kept_b, targets_b = nearest_listed(answers_b, listed)
            answers_b, indices_b = answers_b[kept_b], indices_b[kept_b]
        tally.add(answers_b, targets_b, indices_b)
        if progress is not None:
            progress(len(batch.indices_b))
    if dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1:
        tally.add_other_processes(device)
    return tally.result()
