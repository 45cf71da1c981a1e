"""Exports a trained network to a file that runs without this package.

`graph` and `network` build the traced module, `write` and `write_onnx` write it, `images` and
`parity` compare the file with PyTorch on images prepared by `resnext.inference`, `int8` and
`export_int8` quantise. The package may import `evaluation`, which measures int8, and everything
below it; `runtimes` opens the exported files.
"""

from __future__ import annotations

from resnext.export.export import SUFFIX, export_model
from resnext.export.options import ExportOptions, ExportReport
from resnext.inference.parity import Parity

__all__ = ["SUFFIX", "ExportOptions", "ExportReport", "Parity", "export_model"]
