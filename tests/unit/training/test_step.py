"""What a step draws at random, and what a run says when it cannot be written."""

from pathlib import Path

import pytest
import torch

from resnext.errors import RunError
from resnext.training.run_folder import explain_write_errors
from resnext.training.step import seed_step


def _draw(*place: int) -> float:
    seed_step(*place)
    return float(torch.rand(()))


def test_a_step_draws_the_same_whenever_it_is_done() -> None:
    first = _draw(0, 0, 7)
    torch.rand(100)
    assert _draw(0, 0, 7) == first


def test_steps_processes_and_seeds_draw_differently() -> None:
    assert len({_draw(*place) for place in ((0, 0, 7), (0, 0, 8), (0, 1, 7), (1, 0, 7))}) == 4


def test_a_full_disk_is_one_message_that_says_how_to_go_on(tmp_path: Path) -> None:
    expected = r"No space left.*No checkpoint.*--resume"
    with pytest.raises(RunError, match=expected), explain_write_errors(tmp_path):
        raise OSError(28, "No space left on device")


def test_other_errors_of_the_system_are_not_explained_away(tmp_path: Path) -> None:
    with pytest.raises(ConnectionResetError), explain_write_errors(tmp_path):
        raise ConnectionResetError(104, "Connection reset by peer")
