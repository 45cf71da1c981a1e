"""A trace is remembered for the same input only: any change of what it depends on is traced."""

from __future__ import annotations

import copy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import onnx
import pytest
import torch
from remembered_traces import key_of, remember_traces
from tiny_networks import tiny
from torch import nn

from resnext.model.network import ResNeXt

EXAMPLE = (torch.zeros(2, 3, 16, 16),)
OPTIONS: dict[str, Any] = {"opset_version": 20, "input_names": ["images"]}


def network() -> nn.Module:
    return tiny().module


def test_equal_networks_have_one_key() -> None:
    key = key_of(network(), EXAMPLE, OPTIONS)
    assert key_of(copy.deepcopy(network()), EXAMPLE, OPTIONS) == key
    assert key_of(network(), EXAMPLE, OPTIONS | {"opset_version": None}) == key  # torch's own


@pytest.mark.slow
@pytest.mark.parametrize("seed", ["1", "2"])
def test_another_process_finds_the_same_key(seed: str) -> None:
    program = "from test_remembered_traces import *; print(key_of(network(), EXAMPLE, OPTIONS))"
    folders = [str(Path(__file__).parent), *sys.path]
    found = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {folders!r}; {program}"],
        env={"PYTHONHASHSEED": seed, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == key_of(network(), EXAMPLE, OPTIONS)


def test_any_change_has_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = network()
    other_weight, other_buffer, other_setting = (copy.deepcopy(plain) for _ in range(3))
    with torch.no_grad():
        next(other_weight.parameters()).flatten()[0] += 1e-3
        next(other_buffer.buffers()).flatten()[0] += 1e-3
    other_setting.training = True
    given = [
        (plain, EXAMPLE, OPTIONS),
        (other_weight, EXAMPLE, OPTIONS),
        (other_buffer, EXAMPLE, OPTIONS),
        (other_setting, EXAMPLE, OPTIONS),
        (tiny(shortcut="A").module, EXAMPLE, OPTIONS),
        (plain, (torch.zeros(2, 3, 16, 17),), OPTIONS),
        (plain, (torch.zeros(2, 3, 16, 16).double(),), OPTIONS),
        (plain, EXAMPLE, OPTIONS | {"opset_version": 18}),
        (plain, EXAMPLE, OPTIONS | {"dynamic_shapes": ({0: "batch"},)}),
    ]
    keys = [key_of(*each) for each in given]
    monkeypatch.setattr(ResNeXt, "forward", lambda self, x: self.fc(x))
    keys.append(key_of(plain, EXAMPLE, OPTIONS))
    assert len(set(keys)) == len(keys)


def test_the_same_is_traced_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    traced = []

    def trace(graph: nn.Module, *_: Any, **__: Any) -> Any:
        traced.append(graph)
        nodes = onnx.helper.make_graph([], f"graph {len(traced)}", [], [])
        return SimpleNamespace(model_proto=onnx.helper.make_model(nodes))

    monkeypatch.setattr(torch.onnx, "export", trace)
    for _ in range(2):  # two test processes
        with remember_traces(tmp_path / "traces"):
            first = torch.onnx.export(network(), EXAMPLE, **OPTIONS)
            second = torch.onnx.export(tiny(form="a").module, EXAMPLE, **OPTIONS)
        assert torch.onnx.export is trace
        names = [found.model_proto.graph.name for found in (first, second)]  # type: ignore[union-attr]
        assert names == ["graph 1", "graph 2"]
    assert len(traced) == 2
