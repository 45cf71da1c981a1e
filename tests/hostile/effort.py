"""How much is tried: a short round for each change, a long one before a release."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """How much is tried.

    Attributes:
        num_files: Changed files of each format.
        num_networks: Random networks whose costs are compared with those of their execution.
        num_kills: Processes that are killed, of each command.
        socket_s: Seconds of raw socket traffic.
        soak_s: Seconds of load at twice the capacity.
    """

    num_files: int
    num_networks: int
    num_kills: int
    socket_s: float
    soak_s: float


EFFORTS = {"short": Effort(300, 60, 2, 10, 30), "long": Effort(10_000, 1_000, 6, 60, 600)}
