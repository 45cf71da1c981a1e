"""Opens exported networks in ONNX Runtime, OpenVINO and PyTorch.

`open` chooses the runtime of a file, NAME_runtime opens it after NAME_check has checked its
content, `exported` and `module` are what callers get, `spec` and `seal` handle the description in
the file. May import model and the readers of untrusted files; not export, which writes these files.
"""

from __future__ import annotations

from resnext.runtimes.exported import Exported
from resnext.runtimes.open import SUFFIXES, is_exported, open_exported
from resnext.runtimes.spec import ExportSpec

__all__ = ["SUFFIXES", "ExportSpec", "Exported", "is_exported", "open_exported"]
