"""Passes a signal that stopped the work to the calling program, after saving the state."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, NoReturn

from resnext.errors import TrainingError

if TYPE_CHECKING:
    from resnext.training.interrupt import Interrupted


def hand_on(stop: Interrupted) -> NoReturn:
    """Raise the usual exception of a signal.

    Raises:
        KeyboardInterrupt: It was Ctrl-C.
        TrainingError: It was another signal, and the program's handler did not end it.
    """
    if stop.signal_number == signal.SIGINT:
        raise KeyboardInterrupt(str(stop)) from None
    signal.raise_signal(stop.signal_number)
    raise TrainingError(str(stop)) from None
