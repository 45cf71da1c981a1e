"""From a trained network to a file that runs without this package.

`graph` and `network` make what is traced, `write` and `write_onnx` write it, `images` and `parity`
compare the file with PyTorch on images that `resnext.inference` prepares, `int8` and `export_int8`
quantise. It may import `evaluation`, by which int8 is judged, and all below; what opens the files
again is `runtimes`.
"""

from __future__ import annotations

from resnext.export.export import SUFFIX, export_model
from resnext.export.options import ExportOptions, ExportReport
from resnext.inference.parity import Parity

__all__ = ["SUFFIX", "ExportOptions", "ExportReport", "Parity", "export_model"]
