"""Exported networks opened to predict: ONNX Runtime, OpenVINO, PyTorch programs.

`open` finds the runtime of a file, NAME_runtime opens it after NAME_check has looked at what it
holds, `exported` and `module` are what callers get, `spec` and `seal` the description inside. May
import model and what reads hostile files; not export, which writes what is opened here.
"""

from __future__ import annotations

from resnext.runtimes.exported import Exported
from resnext.runtimes.open import SUFFIXES, is_exported, open_exported
from resnext.runtimes.spec import ExportSpec

__all__ = ["SUFFIXES", "ExportSpec", "Exported", "is_exported", "open_exported"]
