from typing import Any

import pytest
import torch
from tiny_networks import tiny
from torch import nn

from resnext.inference.fold import fold_batch_norm


def count_norms(module: nn.Module) -> int:
    kinds = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
    return sum(isinstance(layer, kinds) for layer in module.modules())


@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("shortcut", ["A", "B", "C"])
@pytest.mark.parametrize("block", ["bottleneck", "basic"])
def test_folding_leaves_the_function_and_no_norm(ndim: int, shortcut: str, block: str) -> None:
    groups: dict[str, Any] = {"cardinality": 1} if block == "basic" else {}
    network = tiny(ndim=ndim, shortcut=shortcut, block=block, **groups).module.double()
    images = torch.randn(2, 3, *(16,) * ndim, dtype=torch.float64)
    with torch.no_grad():
        wanted = network(images)
        folded = fold_batch_norm(network)
        assert count_norms(folded) == 0
        torch.testing.assert_close(folded(images), wanted, rtol=1e-10, atol=1e-10)


def test_only_norms_behind_a_convolution_are_folded_in_preactivation_networks() -> None:
    network = tiny(preactivation=True).module.double()
    images = torch.randn(2, 3, 16, 16, dtype=torch.float64)
    with torch.no_grad():
        wanted = network(images)
        folded = fold_batch_norm(network)
        torch.testing.assert_close(folded(images), wanted, rtol=1e-10, atol=1e-10)
    num_blocks = 2
    assert count_norms(folded) == num_blocks + 1  # the first of each block, and the final one


def test_other_networks_stay_as_they_are() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    assert fold_batch_norm(network) is network
    assert count_norms(network) == 1
