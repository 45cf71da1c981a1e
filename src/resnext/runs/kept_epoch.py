"""Which epoch of a run's log its weights are from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from resnext.runs.config import TrainConfig


def best_epoch(epochs: Iterable[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the epoch of the log with the lowest error; of several, that of the lowest loss."""
    return min(epochs, key=_score)


def kept_epoch(config: TrainConfig, epochs: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the epoch of the log whose weights the run keeps."""
    return epochs[-1] if config.keep == "last" else best_epoch(epochs)


def _score(row: Mapping[str, Any]) -> tuple[float, float]:
    loss = row.get("loss")
    return row["top1_error"], math.inf if loss is None or math.isnan(loss) else loss
