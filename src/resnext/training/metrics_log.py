"""The figures of a run as they arise: JSON lines, and TensorBoard events beside them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resnext.files import write_whole
from resnext.training.run_folder import METRICS

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class MetricsLog:
    """Appends figures to `metrics.jsonl` and to the TensorBoard events of a run."""

    def __init__(self, run: Path, total_steps: int) -> None:
        """Open the log where a run goes on; lines written after that point are dropped.

        Args:
            run: The run folder.
            total_steps: Optimiser steps done so far; 0 for a new run.
        """
        self._file = run / METRICS
        self._tensorboard_folder = run / "tensorboard"
        self._total_steps = total_steps
        self._writer: SummaryWriter | None = None
        _drop_lines_after(self._file, total_steps)

    def write(self, kind: str, total_steps: int, **figures: Any) -> None:
        """Add one line: a `train` interval or an `epoch`."""
        line = json.dumps({"kind": kind, "step": total_steps, **figures})
        with self._file.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        for name, value in figures.items():
            if isinstance(value, float):
                self._tensorboard().add_scalar(f"{kind}/{name}", value, total_steps)

    def close(self) -> None:
        """Flush the TensorBoard events."""
        if self._writer is not None:
            self._writer.close()

    def _tensorboard(self) -> SummaryWriter:
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter  # slow to import: main process only

            self._writer = SummaryWriter(
                str(self._tensorboard_folder), purge_step=self._total_steps + 1
            )
        return self._writer


def read_metrics(run: Path) -> list[dict[str, Any]]:
    """Return the lines of a run's log; an unfinished last line is left out."""
    file = run / METRICS
    if not file.exists():
        return []
    lines = file.read_text(encoding="utf-8").split("\n")[:-1]
    return [json.loads(line) for line in lines]


def _drop_lines_after(file: Path, total_steps: int) -> None:
    """Cut the log back to a checkpoint, so that no step is told twice."""
    if not file.exists():
        return
    kept = [line for line in read_metrics(file.parent) if line["step"] <= total_steps]
    write_whole(file, "".join(json.dumps(line) + "\n" for line in kept))
