"""The stratum of an image with several labels: the rarest of them."""

from __future__ import annotations

import tracemalloc

import numpy as np
import torch

from resnext.data.targets import strata


def test_the_rarest_label_decides_for_any_number_of_images() -> None:
    generator = torch.Generator().manual_seed(0)
    shares_k = torch.linspace(0.002, 0.3, 30)
    targets_nk = (torch.rand(9_000, 30, generator=generator) < shares_k).to(torch.int8)
    counts_k = targets_nk.sum(dim=0).tolist()
    expected = [
        1 + min(np.flatnonzero(row), key=lambda label: counts_k[label]) if any(row) else 0
        for row in targets_nk.numpy()
    ]
    assert strata(targets_nk).tolist() == expected


def test_the_memory_is_that_of_the_labels() -> None:
    targets_nk = torch.zeros(40_000, 200, dtype=torch.int8)
    targets_nk[::3, 7] = 1
    tracemalloc.start()
    strata(targets_nk)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * targets_nk.numel()
