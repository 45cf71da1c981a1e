"""Running totals of an epoch: losses, errors and time."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace

import torch
import torch.distributed as dist

from resnext.training.checkpoint import Position


class Meter:
    """Sums values on the device, so that a step never waits for them, and counts time.

    The sums are over all processes, and the same in each.
    """

    def __init__(
        self,
        device: torch.device,
        position: Position,
        world_size: int = 1,
        num_parts: int = 0,
    ) -> None:
        """Continue from a position.

        Args:
            device: Device of the sums of a step.
            position: Has the sums of the epoch so far.
            world_size: Number of processes; each calls `add` in every step.
            num_parts: Parts of the loss that a step returns.
        """
        sums = [position.loss_sum, position.num_wrong, *(position.part_sums or (0.0,) * num_parts)]
        dtype = torch.float32 if device.type == "mps" else torch.float64  # MPS has no float64
        self._sums = torch.tensor(sums, dtype=dtype, device=device)
        self._world_size = world_size
        self._num_seen = position.num_seen
        self._logged = position.logged
        self._global_images = 0
        self._rates: list[float] = []  # of the steps since the last call of `read`
        self._first_bad = torch.tensor(-1, device=device)
        self._interval_time = time.perf_counter()
        self._saved_time = self._interval_time

    def add(self, sums: torch.Tensor, global_size: int, lr: float = 0.0) -> None:
        """Count one step.

        Args:
            sums: What `TrainStep.run` returns in this process.
            global_size: Images of the step in all processes.
            lr: Learning rate of the step.
        """
        sums = sums.to(self._sums.dtype)
        if self._world_size > 1:
            dist.all_reduce(sums)  # on a GPU nobody waits for it
        self._sums += sums
        is_first_bad = (self._first_bad < 0) & ~torch.isfinite(sums[0])
        self._first_bad = torch.where(is_first_bad, len(self._rates), self._first_bad)
        self._rates.append(lr)
        self._num_seen += global_size
        self._global_images += global_size

    def read(self) -> tuple[float, float]:
        """Return the mean loss and the images per second since the last call."""
        loss, images_per_s = self.peek()
        self._logged = (float(self._sums[0]), self._num_seen)
        self._interval_time = time.perf_counter()
        self._global_images = 0
        if math.isfinite(loss):
            self._rates.clear()
        return loss, images_per_s

    @property
    def failing_lr(self) -> float:
        """Learning rate of the first step whose loss is not a number, after `read` returned one."""
        return self._rates[int(self._first_bad)]

    def peek(self) -> tuple[float, float]:
        """Return the same without ending the interval of `read`."""
        total = float(self._sums[0])  # on a GPU: waits for the steps so far
        now = time.perf_counter()
        start_sum, start_count = self._logged
        loss = (total - start_sum) / max(self._num_seen - start_count, 1)
        return loss, self._global_images / max(now - self._interval_time, 1e-9)

    def store_in(self, position: Position) -> Position:
        """Return the position with this epoch's figures and time added."""
        loss_sum, num_wrong, *part_sums = self._sums.tolist()
        now = time.perf_counter()
        elapsed = now - self._saved_time
        self._saved_time = now
        return replace(
            position,
            loss_sum=loss_sum,
            num_wrong=num_wrong,
            part_sums=tuple(part_sums),
            num_seen=self._num_seen,
            logged=self._logged,
            seconds=position.seconds + elapsed,
        )


def part_means(names: Sequence[str], position: Position) -> dict[str, float]:
    """Return the mean of each part of an epoch's loss under its name in the log.

    Args:
        names: The parts; those that the network lacks are left out.
        position: Has the sums.
    """
    pairs = zip(names, position.part_sums, strict=False)
    return {f"train_{name}_loss": total / position.num_seen for name, total in pairs if total}
