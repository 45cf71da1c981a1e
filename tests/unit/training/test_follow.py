"""When a step is shown and the length of training is estimated, by a display that is told when."""

from __future__ import annotations

import pytest

from resnext.training.checkpoint import Position
from resnext.training.display import Display
from resnext.training.follow import Follower
from resnext.training.pace import Pace


class Told(Display):
    """A display that keeps what it is told."""

    def __init__(self, *, is_due: bool) -> None:
        super().__init__("quiet")
        self._is_due = is_due
        self.steps: list[int] = []
        self.left_s: list[float] = []
        self.notes: list[str] = []

    def is_due(self) -> bool:
        return self._is_due

    def step(self, *, total_steps: int, seconds_left: float, **_: object) -> None:
        self.steps.append(total_steps)
        self.left_s.append(seconds_left)

    def note(self, text: str) -> None:
        self.notes.append(text)


def follow(num_steps: int, *, is_due: bool = False, first: int = 0) -> tuple[Told, list[int]]:
    """Return what two epochs are told, and at which steps the device was read."""
    display, read = Told(is_due=is_due), []
    now = 0.0
    pace = Pace([32, 32], num_steps, 0.0, clock=lambda: now)
    follower = Follower(display, pace, num_steps, 2)
    done = first
    for epoch in range(2):
        start = done - epoch * num_steps
        follower.start_epoch(Position(epoch=epoch, step=start, total_steps=done))
        for step in range(start + 1, num_steps + 1):
            now += 1.0
            done += 1
            position = Position(epoch=epoch, step=step, total_steps=done)

            def figures(done: int = done) -> tuple[float, float]:
                read.append(done)
                return 1.0, 2.0

            follower.follow(position, figures)
    return display, read


def test_the_first_step_is_shown_with_the_time_left() -> None:
    display, _ = follow(20)
    assert (display.steps[0], display.left_s[0]) == (1, 39.0)


def test_a_device_is_not_waited_for_unless_something_is_told() -> None:
    assert follow(20)[1] == [1, 8, 20, 40]  # first, estimate, the end of each epoch
    assert follow(20, is_due=True)[1] == list(range(1, 41))


@pytest.mark.parametrize(
    ("num_steps", "first", "text"),
    [
        (20, 0, "20 seconds per epoch, 40 seconds in total; estimated from the first 8 step(s)"),
        (3, 0, "3.0 seconds per epoch, 6.0 seconds in total; estimated from the first 3 step(s)"),
        (20, 10, "20 seconds per epoch, 22 seconds left; estimated from the first 8 step(s)"),
    ],
)
def test_the_length_of_training_is_estimated_once(num_steps: int, first: int, text: str) -> None:
    display, _ = follow(num_steps, first=first)
    assert [note.partition(" about ")[2] for note in display.notes] == [text]
