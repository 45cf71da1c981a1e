"""From a trained network to a file that runs without this package."""

from __future__ import annotations

from resnext.export.export import SUFFIX, export_model
from resnext.export.options import ExportOptions, ExportReport, Parity

__all__ = ["SUFFIX", "ExportOptions", "ExportReport", "Parity", "export_model"]
