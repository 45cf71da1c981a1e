"""Many images go through one graph, with the same answers within the stated tolerance."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from tiny_networks import tiny
from torch import nn

from resnext.inference import fused
from resnext.inference.fused import MIN_MACS, TOLERANCE, FusedNetwork, fuse_after
from resnext.inference.predictor import Predictor

CPU = torch.device("cpu")


def batches(num: int, size: int = 4) -> list[torch.Tensor]:
    torch.manual_seed(1)
    last = torch.channels_last
    return [torch.randn(size, 3, 16, 16).contiguous(memory_format=last) for _ in range(num)]


def is_close(found: torch.Tensor, wanted: torch.Tensor) -> bool:
    return bool((found - wanted).abs().max() <= TOLERANCE * wanted.abs().max())


@pytest.mark.parametrize(
    "changes",
    [{}, {"form": "a"}, {"form": "b"}, {"preactivation": True}, {"shortcut": "A"}],
    ids=str,
)
def test_the_graph_answers_as_the_network_does(changes: dict[str, Any]) -> None:
    network = tiny(**changes).move_to(torch.device("cpu"))
    graph = FusedNetwork(network)
    with torch.inference_mode():
        for x in batches(4):
            assert is_close(graph(x), network(x))
    assert graph.is_fused


def test_a_smaller_batch_is_computed_as_before() -> None:
    network = tiny().module
    graph = FusedNetwork(network)
    with torch.inference_mode():
        for x in batches(3):
            graph(x)
        rest = batches(1)[0][:3]
        assert graph.is_fused
        assert torch.equal(graph(rest), network(rest))


def test_the_first_images_are_computed_as_before() -> None:
    network = tiny().module
    graph = FusedNetwork(network, after_images=7)
    first, second, *others = batches(5)
    with torch.inference_mode():
        assert torch.equal(graph(first), network(first))
        assert torch.equal(graph(second), network(second))
        for x in others:
            graph(x)
    assert graph.is_fused


def test_a_graph_that_computes_something_else_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    network = tiny().module
    trace: Callable[..., nn.Module] = fused._trace
    other = tiny().module
    other.fc.bias.data += 0.01  # type: ignore[union-attr, operator]
    monkeypatch.setattr(fused, "_trace", lambda _, example: trace(other, example))
    graph = FusedNetwork(network)
    with torch.inference_mode():
        found = [(graph(x), network(x)) for x in batches(4)]
    assert not graph.is_fused
    assert all(torch.equal(*pair) for pair in found)


def test_a_network_that_cannot_be_traced_is_computed_as_before() -> None:
    class Untraceable(nn.Module):
        def forward(self, x_bchw: torch.Tensor) -> torch.Tensor:
            if torch._C._get_tracing_state() is not None:
                raise RuntimeError("no graph of this")
            return x_bchw.mean((2, 3))

    graph = FusedNetwork(Untraceable())
    for x in batches(3):
        assert torch.equal(graph(x), x.mean((2, 3)))
    assert not graph.is_fused


def test_torch_s_switch_is_left_as_it_was() -> None:
    before = torch.jit.onednn_fusion_enabled()  # type: ignore[no-untyped-call]
    graph = FusedNetwork(tiny().module)
    with torch.inference_mode():
        for x in batches(3):
            graph(x)
    assert torch.jit.onednn_fusion_enabled() == before  # type: ignore[no-untyped-call]


def test_little_work_keeps_its_bits() -> None:
    network = tiny().module
    assert fuse_after(network, CPU, ndim=2, macs=MIN_MACS // 100, num_images=99) is network
    assert fuse_after(network, CPU, ndim=1, macs=MIN_MACS, num_images=10**6) is network
    assert fuse_after(network, torch.device("cuda"), ndim=2, macs=MIN_MACS, num_images=9) is network
    many = fuse_after(network, CPU, ndim=2, macs=MIN_MACS // 100, num_images=100)
    assert isinstance(many, FusedNetwork)


def test_a_predictor_fuses_once_many_images_have_come(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    images = [list(rng.integers(0, 256, (4, 16, 16, 3), dtype=np.uint8)) for _ in range(6)]
    plain = Predictor(tiny())
    wanted = [plain.logits(batch) for batch in images]
    monkeypatch.setattr(fused, "MIN_MACS", 1)
    quick = Predictor(tiny())
    found = [quick.logits(batch) for batch in images]
    assert np.array_equal(found[0], wanted[0])  # the work of one image is not yet done
    largest = max(np.abs(batch).max() for batch in wanted)
    assert np.abs(np.stack(found) - np.stack(wanted)).max() <= TOLERANCE * largest
    assert isinstance(quick._module, FusedNetwork)
    assert quick._module.is_fused
