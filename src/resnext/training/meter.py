"""What an epoch sums up while it runs: losses and time."""

from __future__ import annotations

import time
from dataclasses import replace

import torch

from resnext.training.checkpoint import Position


class Meter:
    """Sums losses on the device, so that a step never waits to be read, and counts time."""

    def __init__(self, device: torch.device, position: Position) -> None:
        self._loss_sum = torch.tensor(position.loss_sum, dtype=torch.float64, device=device)
        self._loss_count = position.loss_count
        self._interval_start = (position.loss_sum, position.loss_count)
        self._global_images = 0
        self._interval_time = time.perf_counter()
        self._saved_time = self._interval_time

    def add(self, loss_sum: torch.Tensor, global_size: int, local_size: int) -> None:
        """Count one step."""
        self._loss_sum += loss_sum
        self._loss_count += local_size
        self._global_images += global_size

    def read(self) -> tuple[float, float]:
        """Return the mean loss and the images per second since the last reading."""
        total = float(self._loss_sum)  # on a GPU: waits for the steps so far
        now = time.perf_counter()
        start_sum, start_count = self._interval_start
        loss = (total - start_sum) / max(self._loss_count - start_count, 1)
        images_per_s = self._global_images / max(now - self._interval_time, 1e-9)
        self._interval_start = (total, self._loss_count)
        self._interval_time = now
        self._global_images = 0
        return loss, images_per_s

    def into(self, position: Position) -> Position:
        """Return the position with this epoch's losses and time added."""
        total = float(self._loss_sum)
        now = time.perf_counter()
        elapsed = now - self._saved_time
        self._saved_time = now
        return replace(
            position,
            loss_sum=total,
            loss_count=self._loss_count,
            seconds=position.seconds + elapsed,
        )
