"""A signal that stopped the work is given to the program that called, once the state is saved."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, NoReturn

from resnext.errors import TrainingError

if TYPE_CHECKING:
    from resnext.training.interrupt import Interrupted


def hand_on(stop: Interrupted) -> NoReturn:
    """Raise what the program expects of a signal.

    Raises:
        KeyboardInterrupt: It was Ctrl-C.
        TrainingError: It was another one, and the program has a handler that did not end it.
    """
    if stop.signal_number == signal.SIGINT:
        raise KeyboardInterrupt(str(stop)) from None
    signal.raise_signal(stop.signal_number)
    raise TrainingError(str(stop)) from None
