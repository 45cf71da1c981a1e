"""From what the command line names to the network that is served."""

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
    """Where the network comes from, each time that it is opened.

    Attributes:
        path: An exported file; or a run, a weight file or a name, which is exported first. The
            export is kept in the user's cache, since it takes longer than all the rest.
        threads: Of one inference; the runtime's own number where None.
        runtime: What computes; None is the usual one of the file, ONNX Runtime for what is exported
            here, and `auto` the fastest, found out each time.
        precision: Of the arithmetic; None is that which the file was exported for.
    """

    path: Path
    threads: int | None = None
    runtime: RuntimeName | Literal["auto"] | None = None
    precision: Arithmetic | None = None

    @property
    def name(self) -> str:
        """What the network is called in answers."""
        return self.path.resolve().stem if self.path.exists() else self.path.name

    @property
    def watched(self) -> Path:
        """The file whose change means another network."""
        return self.path / "best.safetensors" if self.path.is_dir() else self.path

    def absolute(self) -> ModelSource:
        """Return the same source for processes that start in another folder."""
        return replace(self, path=self.path.absolute()) if self.path.exists() else self

    def open(self) -> ServedModel:
        """Open the network as it is now.

        Raises:
            CheckpointError: It is missing or damaged.
            ConfigError: A package is missing, or it is no network for images or arrays.
            ExportError: The export does not compute what the network does.
            RunError: The cache, where exports are kept, cannot be used.
        """
        if is_exported(self.path):
            return self._open_file(self.path)
        try:
            return self._open_export()
        except OSError as error:
            raise RunError(
                f"{cache_folder('serving')}, where the export of {self.name} is kept, cannot be "
                f"used ({error.strerror}); set XDG_CACHE_HOME to a folder that can be written, or "
                "serve a file of `resnext export`"
            ) from None

    def _open_export(self) -> ServedModel:
        """Open the kept export of a run or weight file, which is made first where it is missing."""
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
        """Say what bf16 changes.

        Raises:
            ConfigError: It is too much.
        """
        full = open_exported(exported.path, threads=self.threads, precision="fp32")
        wanted_bk, found_bk = made_logits((full, exported), _NUM_COMPARED)
        parity = parity_of(wanted_bk, found_bk, "made ones")
        check_bf16(parity, self.name)
        _LOG.info("bf16 against fp32 %s", parity)
        return f"bf16 against fp32 {parity}"


def _export(loaded: TrainedNetwork, dest: Path) -> None:
    from resnext.export.export import export_model
    from resnext.export.options import ExportOptions

    export_model(loaded, dest, ExportOptions(to="onnx"))


def _fingerprint(loaded: TrainedNetwork) -> str:
    """Return a text that is another one for any other weights, card, or version of ours."""
    import torch

    parts = [loaded.config.model_dump(mode="json"), loaded.card.model_dump(mode="json")]
    digest = hashlib.sha256(json.dumps([__version__, torch.__version__, parts]).encode())
    for name, tensor in loaded.module.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()[:32]
