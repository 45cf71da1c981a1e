"""From a trained network to a file that runs without this package.

`export` and `export_int8` write a file and keep it only if it computes the same; `network` makes
layers fewer and faster (`fold`, `narrow_groups`), `graph` puts the preparation of images in front,
`write` and `write_onnx` write each format. May import runtimes, which opens the files, evaluation
and what is below.
"""

from __future__ import annotations

from resnext.export.export import SUFFIX, export_model
from resnext.export.options import ExportOptions, ExportReport, Parity

__all__ = ["SUFFIX", "ExportOptions", "ExportReport", "Parity", "export_model"]
