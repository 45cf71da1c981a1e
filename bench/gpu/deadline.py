"""The deadline of a reservation, and timing on a device."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

Action = Callable[[], object]

_TURN_S = 0.25
"""Minimum time of a turn, so that its overhead is negligible."""


@dataclass(frozen=True)
class Deadline:
    """The time when everything must be finished.

    Attributes:
        end: Time on the clock of `time.monotonic`.
    """

    end: float

    @classmethod
    def after(cls, minutes: float) -> Deadline:
        """Return the deadline a number of minutes from now."""
        return cls(time.monotonic() + 60 * minutes)

    @property
    def left_s(self) -> float:
        """Seconds left."""
        return self.end - time.monotonic()


def synchronize(device: torch.device) -> None:
    """Wait until the device has finished its work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def race(
    actions: Sequence[Action], device: torch.device, *, rounds: int, deadline: Deadline
) -> list[list[float]]:
    """Time actions alternately, each as often as fits into a turn.

    Args:
        actions: The actions to time; they must have run before.
        device: The device, synchronised before and after each turn.
        rounds: Turns of each action.
        deadline: No round starts after it, except the first.

    Returns:
        The seconds per call, for each action and round; all actions have equally many rounds.
    """
    counts = [max(1, round(_TURN_S / _seconds(action, device, 1))) for action in actions]
    found: list[list[float]] = [[] for _ in actions]
    for number in range(rounds):
        if number and deadline.left_s <= 0:
            break
        order = range(len(actions)) if number % 2 else range(len(actions) - 1, -1, -1)
        for index in order:
            found[index].append(_seconds(actions[index], device, counts[index]))
    return found


def ratio(top: Sequence[float], bottom: Sequence[float]) -> dict[str, float | int]:
    """Return the median, lowest and highest ratio of times measured in the same rounds."""
    ratios = [a / b for a, b in zip(top, bottom, strict=True)]
    return {
        "median": statistics.median(ratios),
        "low": min(ratios),
        "high": max(ratios),
        "n": len(ratios),
    }


def _seconds(action: Action, device: torch.device, count: int) -> float:
    synchronize(device)
    start = time.perf_counter()
    for _ in range(count):
        action()
    synchronize(device)
    return (time.perf_counter() - start) / count
