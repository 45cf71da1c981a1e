"""The rate of matrix multiplication in bf16, an upper bound for a training step."""

from __future__ import annotations

import torch

from bench.gpu.deadline import Deadline, race

_SIDE = {"cuda": 8192, "cpu": 1024}
_ROUNDS = 5


def matmul_flops(device: torch.device) -> float:
    """Return floating-point operations per second of the fastest turn; a multiply-add is two."""
    side = _SIDE.get(device.type, 1024)
    a, b = (torch.randn(side, side, device=device, dtype=torch.bfloat16) for _ in range(2))
    for _ in range(3):
        a @ b
    (seconds,) = race([lambda: a @ b], device, rounds=_ROUNDS, deadline=Deadline.after(0.2))
    return 2 * side**3 / min(seconds)
