"""The initial weights of `resnext train`: given, or chosen by `--pretrained`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from resnext.data.config import DataConfig
from resnext.errors import ConfigError, DownloadError
from resnext.machine import may_have_gpu, memory_bytes
from resnext.model.config import ModelConfig, SegmenterConfig
from resnext.model.names import config_from, name_of

if TYPE_CHECKING:
    from resnext.weights.entry import WeightsEntry
    from resnext.weights.file import Weights


@dataclass(frozen=True)
class Start:
    """Opened initial weights, and their name in a run's settings."""

    name: Path
    weights: Weights


def open_start(name: Path, *, accept_licence: bool, quiet: bool = False) -> Start:
    """Find weights, download them if needed, and read them.

    Without a connection, a published file is reported as missing before torch is loaded.

    Args:
        name: A run, a file, a published name or a repository.
        accept_licence: Allow files that may not be used commercially.
        quiet: Do not show download progress.

    Raises:
        ResNeXtError: They cannot be found, downloaded or read.
    """
    from resnext.progress import show_download
    from resnext.weights.entry_card import entry_of_repository, named_entry
    from resnext.weights.fetch import HUB, check_licence, check_reach, fetch

    is_here, text = _exists(name), str(name)
    entry = named_entry(text) or entry_of_repository(text.removeprefix(HUB))
    with show_download(quiet=quiet) as progress:
        if entry is not None and not is_here:
            check_licence(entry, accept_licence=accept_licence)
            check_reach(entry)
            fetch(entry, accept_licence=accept_licence, progress=progress)

        from resnext.weights.source import open_weights  # loads torch

        weights = open_weights(name, accept_licence=accept_licence, progress=progress)
    # independent of the folder one stands in; a published name stays as it is
    return Start(name.absolute() if is_here else name, weights)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # an endless name; opening it says so
        return False


def choose_pretrained(
    data: DataConfig, model: str | ModelConfig | None, device: str, *, accept_licence: bool
) -> tuple[Path, str]:
    """Choose published weights for the images, the network and this machine.

    Args:
        data: The images.
        model: The network, if given.
        device: As `--device`.
        accept_licence: Allow weights that may not be used commercially.

    Returns:
        The entry's name, and a line that describes the choice.

    Raises:
        ConfigError: There are no such weights, or they do not fit the images.
        LicenceError: Their licence must be accepted.
        DownloadError: They are not on this machine and cannot be downloaded.
    """
    from resnext.data.sets.glance import typical_side_px
    from resnext.weights.choose import Need, rank

    if data.name in ("digits", "fashion-mnist"):
        raise ConfigError(
            f"--pretrained: published weights need colour images, but those of {data.name} are "
            "grey; adapt weights with `resnext convert NAME adapted.safetensors --in-channels 1` "
            "and give --weights adapted.safetensors"
        )
    has_gpu, memory = _device_facts(device)
    need = Need(
        network=None if model is None else _name_without_head(model),
        side_px=typical_side_px(data),
        has_gpu=has_gpu,
        memory_bytes=memory,
        data=data.name,
        accept_licence=accept_licence,
    )
    entry, note = _best_to_be_had(rank(need))
    return Path(entry.name), note


def _name_without_head(model: str | ModelConfig) -> str:
    """Return the name of a network, or of its backbone; published weights are for classifiers."""
    config = config_from(model)
    return name_of(config.backbone if isinstance(config, SegmenterConfig) else config)


def _best_to_be_had(ranked: tuple[WeightsEntry, ...]) -> tuple[WeightsEntry, str]:
    """Return the best weights or, without a connection, the best ones on this machine."""
    from resnext.weights.fetch import check_reach, is_there

    best = ranked[0]
    try:
        check_reach(best)
    except DownloadError:
        here = next((entry for entry in ranked if is_there(entry)), None)
        if here is None:
            raise
        return here, f"{_facts(here)}; {best.name} would be the first choice, but there is no " + (
            "connection"
        )
    return best, _facts(best)


def _facts(entry: WeightsEntry) -> str:
    error = "" if entry.top1_error is None else f", published top-1 error {entry.top1_error:.1f} %"
    return f"pretrained: {entry.name} ({entry.classes}{error}, licence {entry.licence})"


def _device_facts(device: str) -> tuple[bool, int | None]:
    """Return whether training uses a GPU, and its memory; load torch only if there may be one."""
    is_asked = device not in ("auto", "cpu")
    if device == "cpu" or not (is_asked or may_have_gpu()):
        return False, memory_bytes()
    import torch

    from resnext.runs.runtime import resolve_device

    resolved = resolve_device(device)
    if resolved.type == "cuda":
        return True, int(torch.cuda.get_device_properties(resolved).total_memory)
    return resolved.type != "cpu", memory_bytes()
