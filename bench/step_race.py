"""Time steps of several contestants in turn, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from typing import TypeVar

import torch

Step = Callable[[], object]
Key = TypeVar("Key")


def race(
    builders: Mapping[Key, Callable[[], Step]], rounds: int, num_threads: int
) -> dict[Key, list[float]]:
    """Return the seconds of each contestant's steps; the first round warms up.

    Args:
        builders: What builds a contestant's step in its process; they must be picklable.
        rounds: Measured rounds.
        num_threads: Threads of each process. Only one process works at a time.
    """
    context = multiprocessing.get_context("spawn")
    ends: dict[Key, Connection] = {}
    for key, build in builders.items():
        ends[key], theirs = context.Pipe()
        context.Process(target=_serve, args=(theirs, build, num_threads), daemon=True).start()
        theirs.close()  # so that a contestant that fails ends the race with an EOFError
    times: dict[Key, list[float]] = {key: [] for key in builders}
    for number in range(rounds + 1):
        for key, connection in ends.items():
            connection.send(True)
            seconds = connection.recv()
            if number:
                times[key].append(seconds)
    for connection in ends.values():
        connection.send(False)
    return times


def _serve(connection: Connection, build: Callable[[], Step], num_threads: int) -> None:
    """Run one step per request and answer with its duration in seconds."""
    torch.set_num_threads(num_threads)
    torch.manual_seed(0)
    step = build()
    while connection.recv():
        start = time.perf_counter()
        step()
        connection.send(time.perf_counter() - start)
