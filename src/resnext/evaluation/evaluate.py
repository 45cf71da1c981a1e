"""Run a network over a split and measure it. Legend: b images, v views of each, k classes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
import torch.distributed as dist
from torch import nn

from resnext.data.loading.batch import Batch
from resnext.errors import ConfigError
from resnext.evaluation.metrics import EvalResult
from resnext.evaluation.protocols import nearest_listed
from resnext.evaluation.tally import Tally


def evaluate(
    model: nn.Module,
    loader: Iterable[Batch],
    *,
    num_classes: int,
    device: torch.device,
    autocast: Callable[[], AbstractContextManager[object]] | None = None,
    full: bool = True,
    class_subset: Sequence[int] | None = None,
    real_labels: Sequence[Sequence[int]] | None = None,
    progress: Callable[[int], None] | None = None,
) -> EvalResult:
    """Measure a network on the images of a loader.

    In a process group every process measures its own images and all return the figures of
    all images; the loaders must share the images without padding.

    Args:
        model: The network, on `device`; it is left in evaluation mode.
        loader: Batches; the probabilities of an image's views are averaged.
        num_classes: Classes of the data set.
        device: Where the network is.
        autocast: Makes the context that the network runs in; by default full precision.
        full: Also find confusion, calibration and mistakes.
        class_subset: The output of the network that belongs to each class of the data set,
            when that is not the identity; other outputs are left out of the choice.
        real_labels: All acceptable classes of each image of the split; see
            `protocols.load_real_labels`.
        progress: Is told the number of images after each batch.

    Raises:
        ConfigError: The network's outputs do not fit `num_classes`.
        DataError: There is no image, or too many are bad.
    """
    model.eval()
    tally = Tally(num_classes, full=full)
    columns_k = None if class_subset is None else torch.tensor(class_subset)
    for batch in loader:
        with torch.no_grad(), (autocast or nullcontext)():
            logits_bk = model(batch.images_bchw)
        if columns_k is not None:
            logits_bk = logits_bk.index_select(1, columns_k.to(logits_bk.device))
        _check_width(logits_bk.shape[1], num_classes)
        log_probs_bk = average_views(logits_bk, batch.num_views)
        targets_b, indices_b = batch.targets_b, batch.indices_b
        if real_labels is not None:
            listed = [real_labels[index] for index in indices_b.tolist()]
            kept_b, targets_b = nearest_listed(log_probs_bk, listed)
            log_probs_bk, indices_b = log_probs_bk[kept_b], indices_b[kept_b]
        tally.add(log_probs_bk, targets_b, indices_b)
        if progress is not None:
            progress(len(batch.indices_b))
    if dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1:
        tally.add_other_processes(device)
    return tally.result()


def average_views(logits_bk: torch.Tensor, num_views: int) -> torch.Tensor:
    """Average the class probabilities of each image's views.

    The released Torch code adds the raw outputs of the ten crops instead; probabilities
    are what the other publications average (AlexNet, section 4.1), they weigh every view
    alike, and the result can still be read as a probability.

    Args:
        logits_bk: Raw outputs, b·v x k, the views of one image together.
        num_views: Views of each image.

    Returns:
        Logarithms of the mean probabilities, b x k, float32 or wider.
    """
    wide = torch.promote_types(logits_bk.dtype, torch.float32)
    log_probs_bk = logits_bk.to(wide).log_softmax(dim=1)
    if num_views == 1:
        return log_probs_bk
    by_image_bvk = log_probs_bk.view(-1, num_views, log_probs_bk.shape[1])
    return by_image_bvk.logsumexp(dim=1) - math.log(num_views)


def _check_width(num_outputs: int, num_classes: int) -> None:
    if num_outputs != num_classes:
        raise ConfigError(
            f"the network chooses between {num_outputs} classes, the data set has {num_classes}; "
            "evaluate on the data set of training or one whose classes have the same names"
        )
