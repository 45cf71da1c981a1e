"""Writes a trained network as a folder that anyone can open: weights, config, model card."""

from __future__ import annotations

import codecs
import importlib
from pathlib import Path

from PIL import Image

from resnext.errors import ConfigError, PublishError
from resnext.files import write_whole
from resnext.hub.curves import draw_curves
from resnext.hub.hub_config import hub_config
from resnext.hub.model_card import CardRequest, write_card
from resnext.hub.published import Published, Source, open_source
from resnext.hub.recipe import public_config
from resnext.hub.usage import WEIGHTS
from resnext.runs.folder import CONFIG, read_config, write_json
from resnext.staging import uninterrupted, work_folder
from resnext.weights.own_file import save_weights

HUB_CONFIG = "config.json"
CARD = "README.md"
CURVES = "curves.png"
FILES = (WEIGHTS, HUB_CONFIG, CARD, CURVES, CONFIG)
"""All files of a folder; the last two are written only for runs."""


def save_pretrained(
    source: Source,
    folder: str | Path,
    *,
    title: str = "",
    licence: str = "",
    repository: str = "",
    overwrite: bool = False,
    accept_licence: bool = False,
) -> Path:
    """Write a network to a folder with the layout of a Hugging Face Hub repository.

    Blocks in forms (a) and (b) are converted to form (c), exactly. If timm's ResNet supports
    the network, `timm.create_model("local-dir:FOLDER", pretrained=True)` opens it.

    Example:
        >>> import resnext
        >>> resnext.save_pretrained("runs/demo", "demo-network")  # doctest: +SKIP
        >>> resnext.load("demo-network")  # doctest: +SKIP

    Args:
        source: A run folder, a weight file, a name in the catalogue or on the Hub, or a network
            in memory: the result of `resnext.load`, a `resnext.TrainedNetwork(module, config,
            card)`, or a plain module from `resnext.create_model`, whose card is then a guess.
        folder: A new or empty folder; it is written completely or not at all.
        title: Heading of the model card; by default the network's name and data.
        licence: SPDX identifier; by default the source's.
        repository: OWNER/NAME for the examples in the model card, if it will be published there.
        overwrite: Replace such files in a non-empty folder; other files stay.
        accept_licence: Also fetch weights that do not allow commercial use.

    Returns:
        The folder.

    Raises:
        PublishError: The folder is not empty or cannot be written.
        ConfigError: The network's card contradicts its architecture.
        CheckpointError: The weights are damaged or have no classifier.
        ResNeXtError: The weights cannot be found or fetched.
    """
    folder = Path(folder)
    _check_folder(folder, overwrite=overwrite)
    published = open_source(source, licence=licence, accept_licence=accept_licence)
    address = repository or folder.resolve().name
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _import_ahead()
        with work_folder(folder.resolve(), PublishError) as staged:
            write_files(published, staged / "new", title, address, bool(repository))
            with uninterrupted():
                _put_in_place(staged / "new", folder.resolve())
    except OSError as error:
        raise PublishError(
            f"{folder}: cannot be written: {error.strerror or error}; choose another folder"
        ) from None
    return folder


def write_files(
    published: Published, folder: Path, title: str, address: str, is_repository: bool
) -> None:
    """Write all files of a network to a new folder.

    Args:
        published: The network.
        folder: The folder; it must not exist.
        title: Heading of the model card, or empty.
        address: The name of the network in the examples of the model card.
        is_repository: The address is a repository on the Hub.
    """
    folder.mkdir()
    save_weights(folder / WEIGHTS, published.state, published.config, published.card)
    write_json(folder / HUB_CONFIG, hub_config(published))
    has_curves = published.run is not None and draw_curves(published.run, folder / CURVES)
    if published.run is not None:
        write_whole(folder / CONFIG, public_config(read_config(published.run)))
    write_card(folder / CARD, published, CardRequest(title, address, is_repository, has_curves))


def _import_ahead() -> None:
    """Import what plots and files need: Ctrl-C during a later import would skip the clean-up."""
    codecs.lookup("unicode_escape")
    Image.preinit()
    importlib.import_module("numpy.ctypeslib")


def _check_folder(folder: Path, *, overwrite: bool) -> None:
    """Refuse a folder with other content, before any work is done."""
    if not folder.name:
        raise ConfigError(f"{str(folder)!r} is not a new folder; give a name below it")
    if folder.is_dir() and (overwrite or not any(folder.iterdir())):
        return
    if folder.exists() or folder.is_symlink():
        what = "is not empty" if folder.is_dir() else "is not a folder"
        remedy = ", or replace an earlier export: overwrite=True (--overwrite)"
        raise PublishError(
            f"{folder} {what}; choose a new folder{remedy if folder.is_dir() else ''}"
        )


def _put_in_place(staged: Path, folder: Path) -> None:
    """Move a finished folder to its destination; into a non-empty folder, file by file."""
    if folder.exists() and not any(folder.iterdir()):
        folder.rmdir()
    if not folder.exists():
        staged.replace(folder)
        return
    for name in FILES:
        if (staged / name).exists():
            (staged / name).replace(folder / name)
        else:
            (folder / name).unlink(missing_ok=True)  # it described the previous network
