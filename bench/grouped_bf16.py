"""Measures whether channels_last is unexpectedly slow for grouped convolutions in bf16.

    python -m bench.grouped_bf16 --threads 1

For each group width it prints the time in channels_last relative to the contiguous layout, in bf16
and in fp32, forward and backward. `--tune` avoids a layout above 3 in a 16-bit precision.
"""

from __future__ import annotations

import argparse

import torch

from resnext.machine import cpu_name
from resnext.training.slow_layout import channels_last_slowdown

_WIDTHS = (1, 2, 4, 8, 16, 32, 64)


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    has_bf16 = torch.cpu.get_capabilities().get("avx512_bf16")
    print(
        f"{cpu_name()}, {'avx512_bf16' if has_bf16 else 'no instructions for bf16'}, torch "
        f"{torch.__version__}, {arguments.threads} thread(s)"
    )
    for width in _WIDTHS:
        bf16, fp32 = (channels_last_slowdown(width, d) for d in (torch.bfloat16, torch.float32))
        print(f"32 groups of {width}: bf16 {bf16:.2f}, fp32 {fp32:.2f}", flush=True)


if __name__ == "__main__":
    main()
