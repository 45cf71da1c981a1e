"""The minutes of a reservation, and how a measurement is timed on a device."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

Action = Callable[[], object]

_TURN_S = 0.25
"""A turn takes at least this long, so that starting it does not count."""


@dataclass(frozen=True)
class Deadline:
    """When everything has to be over.

    Attributes:
        end: On the clock of `time.monotonic`.
    """

    end: float

    @classmethod
    def after(cls, minutes: float) -> Deadline:
        """Return the deadline that is some minutes from now."""
        return cls(time.monotonic() + 60 * minutes)

    @property
    def left_s(self) -> float:
        """Seconds left."""
        return self.end - time.monotonic()


def synchronize(device: torch.device) -> None:
    """Wait for what the device was given to do."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def race(
    actions: Sequence[Action], device: torch.device, *, rounds: int, deadline: Deadline
) -> list[list[float]]:
    """Time actions in turns, each as often as fits into a turn.

    Args:
        actions: What to time; they have run before.
        device: Is waited for at both ends of a turn.
        rounds: Turns of each.
        deadline: No round begins after it, but for the first.

    Returns:
        For each action the seconds of one call, by rounds; all have the same number of rounds.
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
