"""From what the command line names to the network that is served."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from resnext.runtimes import is_exported, open_exported
from resnext.serving.model import ServedModel


@dataclass(frozen=True)
class ModelSource:
    """Where the network comes from, each time that it is opened.

    Attributes:
        path: An exported file; or a run, a weight file or a name, which is exported first.
        threads: Of one inference; the runtime's own number where None.
        on_export: Told the folder or name before an export, which takes some seconds.
    """

    path: Path
    threads: int | None = None
    on_export: Callable[[Path], None] = lambda _: None

    @property
    def watched(self) -> Path:
        """The file whose change means another network."""
        return self.path / "best.safetensors" if self.path.is_dir() else self.path

    def open(self) -> ServedModel:
        """Open the network as it is now.

        Raises:
            CheckpointError: It is missing or damaged.
            ConfigError: A package is missing, or it is no network for images.
        """
        if is_exported(self.path):
            return ServedModel(open_exported(self.path, threads=self.threads), self.path.stem)
        self.on_export(self.path)
        with tempfile.TemporaryDirectory(prefix="resnext-serve-") as folder:
            exported = _export(self.path, Path(folder) / "model.onnx")
            return ServedModel(open_exported(exported, threads=self.threads), self.path.stem)


def _export(path: Path, dest: Path) -> Path:
    from resnext.evaluation.loaded import open_model
    from resnext.export import ExportOptions, export_model

    export_model(open_model(path), dest, ExportOptions(to="onnx", input="pixels"))
    return dest
