"""Exported networks opened to predict: ONNX Runtime, OpenVINO, PyTorch programs."""

from __future__ import annotations

from resnext.runtimes.exported import Exported
from resnext.runtimes.open import SUFFIXES, is_exported, open_exported
from resnext.runtimes.spec import ExportSpec

__all__ = ["SUFFIXES", "ExportSpec", "Exported", "is_exported", "open_exported"]
