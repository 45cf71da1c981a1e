"""Entries of a file that are not needed for prediction."""

from __future__ import annotations

import re

import torch

_COUNTERS = ("total_ops", "total_params", "n_averaged")
# Words in the first part of a name: losses, metrics, teachers and so on, which are not run.
_OUTSIDE = {
    *("criterion", "loss", "losses", "metric", "metrics", "acc", "accuracy", "auroc", "auc"),
    *("f1", "confmat", "precision", "recall", "top1", "top5", "teacher", "ema", "optimizer"),
    *("scheduler", "preprocessor", "pixel", "queue", "projector", "projection", "prototypes"),
    *("predictor", "center"),
}


def is_counter(key: str, tensor: torch.Tensor) -> bool:
    """Return whether an entry is a counter: a profiler's sums, steps, a queue position."""
    is_whole = not tensor.is_floating_point() and not tensor.is_complex()
    return key.rpartition(".")[2] in _COUNTERS or (is_whole and tensor.numel() == 1)


def is_no_layer(key: str, tensor: torch.Tensor) -> bool:
    """Return whether an entry is a counter, or by name part of a loss, metric, teacher, ..."""
    words = set(re.split("[_]", key.partition(".")[0].lower()))
    return is_counter(key, tensor) or bool(words & _OUTSIDE)
