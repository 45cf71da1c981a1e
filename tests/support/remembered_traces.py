"""Graphs that torch's exporter wrote in this test session, by everything that they are made of.

A trace takes 10 to 60 seconds, and an ONNX file and an OpenVINO file of one network begin with the
same one. For test files that ask for it, `remembered_traces` makes each trace once for all test
processes of the session.
"""

from __future__ import annotations

import hashlib
import io
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import onnx
import pytest
import torch
from filelock import FileLock
from pydantic import BaseModel
from torch import nn
from torch.onnx._constants import ONNX_DEFAULT_OPSET


class _Stable(pickle.Pickler):
    """Writes equal objects as equal bytes in every process of a session."""

    def reducer_override(self, given: Any) -> Any:
        """Sort sets, whose order depends on the process, and name torch's operators."""
        if isinstance(given, BaseModel):
            return (str, (repr(given),))
        if isinstance(given, nn.Module):
            state = {
                name: sorted(value) if isinstance(value, set) else value
                for name, value in vars(given).items()
            }
            return (type, (f"{type(given).__module__}.{type(given).__qualname__}",), state)
        if isinstance(given, torch._ops.OpOverload):
            return (str, (str(given),))
        if isinstance(given, torch.Tensor):
            whole = given.detach().contiguous()
            facts = (type(given).__name__, given.dtype, tuple(given.shape), given.stride())
            return (tuple, ((str(facts), given.requires_grad, whole.numpy().tobytes()),))
        return NotImplemented


def key_of(graph: nn.Module, example: Any, options: dict[str, Any]) -> str:
    """Return a name for what a trace depends on: modules, their code, weights, input, options.

    Functions that the modules call are not part of it: a test that replaces one must not ask for
    remembered traces.
    """
    code = sorted({_code(type(module)) for module in graph.modules()})
    file = io.BytesIO()
    stable = _Stable(file)
    stable.fast = True  # what is named twice is written twice: equal objects need not be identical
    opset = options.get("opset_version") or ONNX_DEFAULT_OPSET
    stable.dump((code, graph, example, options | {"opset_version": opset}))
    return hashlib.sha256(file.getvalue()).hexdigest()


def _code(kind: type[nn.Module]) -> str:
    """Describe the code that runs for a module; a test may have replaced it."""
    forward: Any = kind.forward
    compiled = forward.__code__
    return f"{kind.__module__}.{kind.__qualname__} {forward.__qualname__} {compiled.co_code.hex()}"


@contextmanager
def remember_traces(folder: Path) -> Iterator[None]:
    """Make `torch.onnx.export` answer with what it wrote before for the same input.

    Args:
        folder: Of the graphs; all test processes of a session share it.
    """
    trace = torch.onnx.export
    folder.mkdir(exist_ok=True)

    def export(graph: nn.Module, example: Any, **options: Any) -> Any:
        path = folder / f"{key_of(graph, example, options)}.onnx"
        with FileLock(f"{path}.lock"):  # another process may be at it
            if not path.exists():
                program = trace(graph, example, **options)
                assert program is not None
                onnx.save(program.model_proto, path)
            return SimpleNamespace(model_proto=onnx.load(path))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.onnx, "export", export)
        yield
