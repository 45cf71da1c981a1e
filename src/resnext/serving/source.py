"""Opens the network named on the command line for serving."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from resnext._version import __version__
from resnext.cache import cache_folder
from resnext.errors import CheckpointError, RunError
from resnext.inference.fastest import made_logits, open_fastest
from resnext.inference.parity import check_bf16, parity_of
from resnext.runtimes.exported import Exported
from resnext.runtimes.open import is_exported, open_exported
from resnext.runtimes.spec import Arithmetic, RuntimeName
from resnext.serving.model import ServedModel

if TYPE_CHECKING:
    from resnext.model.trained import TrainedNetwork

_LOG = logging.getLogger("resnext.serving")
_NUM_COMPARED = 8


@dataclass(frozen=True)
class ModelSource:
    """Where to load the network from, initially and at each reload.

    Attributes:
        path: An exported file; or a run, a weight file or a name, which is exported first. The
            export is cached, since it is slow.
        threads: Threads for one inference; None uses the runtime's default.
        runtime: The inference runtime; None is the default of the file, ONNX Runtime for networks
            exported here; `auto` times them at each start and uses the fastest.
        precision: Precision of the arithmetic; None is the precision of the export.
    """

    path: Path
    threads: int | None = None
    runtime: RuntimeName | Literal["auto"] | None = None
    precision: Arithmetic | None = None

    @property
    def name(self) -> str:
        """The network's name in answers."""
        return self.path.resolve().stem if self.path.exists() else self.path.name

    @property
    def watched(self) -> Path:
        """The file whose change triggers a reload."""
        return self.path / "best.safetensors" if self.path.is_dir() else self.path

    def absolute(self) -> ModelSource:
        """Return the same source for processes with another working directory."""
        return replace(self, path=self.path.absolute()) if self.path.exists() else self

    def open(self) -> ServedModel:
        """Open the network in its current version.

        Raises:
            CheckpointError: It is missing or damaged.
            ConfigError: A package is missing.
            ExportError: The export computes something else than the network.
            RunError: The cache for exports cannot be used.
        """
        if is_exported(self.path):
            return self._open_file(self.path)
        try:
            return self._open_export()
        except OSError as error:
            raise RunError(
                f"{cache_folder('serving')}: cannot be used to cache the export of {self.name} "
                f"({error.strerror}); set XDG_CACHE_HOME to a writable folder, or serve a file "
                "written by `resnext export`"
            ) from None

    def _open_export(self) -> ServedModel:
        """Open the cached export of a run or weight file; export it first if necessary."""
        from resnext.inference.load import load

        loaded = load(self.path)
        kept = cache_folder("serving") / f"{_fingerprint(loaded)}.onnx"
        if kept.exists():
            try:
                return self._open_file(kept)
            except CheckpointError as error:
                _LOG.warning("the cached export is damaged and is created again: %s", error)
        _LOG.info("exporting %s, once; this takes some seconds", self.name)
        kept.parent.mkdir(parents=True, exist_ok=True)
        _export(loaded, kept)
        return self._open_file(kept)

    def _open_file(self, path: Path) -> ServedModel:
        if self.runtime == "auto":
            choice = open_fastest(path, threads=self.threads, precision=self.precision)
            _LOG.info("%s", choice.reason)
            return ServedModel(choice.exported, self.name, choice.reason)
        exported = open_exported(
            path, threads=self.threads, runtime=self.runtime, precision=self.precision
        )
        note = self._compare(exported) if self.precision == "bf16" else ""
        return ServedModel(exported, self.name, note)

    def _compare(self, exported: Exported) -> str:
        """Return what bf16 changes, in words.

        Raises:
            ConfigError: It changes too much.
        """
        full = open_exported(exported.path, threads=self.threads, precision="fp32")
        wanted_bk, found_bk = made_logits((full, exported), _NUM_COMPARED)
        parity = parity_of(wanted_bk, found_bk, "generated")
        check_bf16(parity, self.name)
        _LOG.info("bf16 against fp32 %s", parity)
        return f"bf16 against fp32 {parity}"


def _export(loaded: TrainedNetwork, dest: Path) -> None:
    from resnext.export.export import export_model
    from resnext.export.options import ExportOptions

    export_model(loaded, dest, ExportOptions(to="onnx"))


def _fingerprint(loaded: TrainedNetwork) -> str:
    """Return a hash of the weights, the card and our version."""
    import torch

    parts = [loaded.config.model_dump(mode="json"), loaded.card.model_dump(mode="json")]
    digest = hashlib.sha256(json.dumps([__version__, torch.__version__, parts]).encode())
    for name, tensor in loaded.module.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()[:32]
