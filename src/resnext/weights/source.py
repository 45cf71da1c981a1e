"""From whatever names weights to the weights: a run, a file, the catalogue, the Hub."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from resnext.class_lists import class_names
from resnext.data.preparation import describe_preparation
from resnext.download import Progress
from resnext.errors import CheckpointError, ConfigError
from resnext.foreign_file import check_regular, one_error, reason
from resnext.model.card import ModelCard
from resnext.model.config import ModelConfig, ResNeXtConfig
from resnext.model.names import name_of, parse_name
from resnext.model.tensor_file import read_metadata
from resnext.model.weights import BEST, check_state, is_ours, read_weights
from resnext.weights.catalogue import not_found
from resnext.weights.entry import WeightsEntry
from resnext.weights.entry_card import (
    card_of,
    entry_of_file,
    entry_of_repository,
    named_entry,
)
from resnext.weights.families.recognise import recognise
from resnext.weights.fetch import HUB, fetch
from resnext.weights.fit import check_fit
from resnext.weights.hub_card import card_from_hub
from resnext.weights.hub_file import NoSuchHubFileError, hub_file, is_repository
from resnext.weights.infer import infer_config
from resnext.weights.read import kind_of, read_tensors

_LOG = logging.getLogger(__name__)

HUB_CONFIG = "config.json"
HUB_WEIGHTS = ("model.safetensors", "pytorch_model.bin")


@dataclass(frozen=True)
class Weights:
    """Weights under our names, with the architecture that they fit.

    Attributes:
        name: What they were opened as, for messages.
        config: The architecture, from the file's header or inferred from the shapes. Without
            a classifier in the file its number of classes means nothing.
        state: The tensors, on the CPU.
        card: Classes, preparation of images, figures; defaults where nothing says them.
        family: Whose names the file had.
        has_head: A classifier is among the tensors.
        is_described: The card was found; else it is a guess.
    """

    name: str
    config: ModelConfig
    state: dict[str, torch.Tensor]
    card: ModelCard
    family: str = "resnext"
    has_head: bool = True
    is_described: bool = True


def open_weights(
    name_or_path: str | Path, *, accept_licence: bool = False, progress: Progress | None = None
) -> Weights:
    """Find weights, fetch them if need be, and read them.

    Args:
        name_or_path: A run folder; a file of any known family; a folder that
            `save_pretrained` wrote; a name of the catalogue, such as
            `resnext50_32x4d.a1h_in1k`; or a repository on the Hugging Face Hub, OWNER/NAME, also
            as `hf-hub:OWNER/NAME@REVISION`.
        accept_licence: Fetch also what may not be used commercially.
        progress: Is told the bytes of a download that are there and those in all.

    Returns:
        The weights, with every tensor in its place.

    Raises:
        CheckpointError: The file is damaged, of no known family, or incomplete.
        ConfigError: Nothing has this name.
        DownloadError: It cannot be fetched.
        LicenceError: Its licence was not accepted.
    """
    path, name = Path(name_or_path), str(name_or_path)
    if _exists(path):
        return open_folder(path) if path.is_dir() else open_file(path)
    repository = name.removeprefix(HUB)
    entry = named_entry(name) or entry_of_repository(repository)
    if entry is not None:
        return _from_entry(entry, fetch(entry, accept_licence=accept_licence, progress=progress))
    if name != repository or _may_be_on_hub(path):
        return _from_hub(repository)
    if len(path.parts) > 1 or path.suffix in _SUFFIXES:
        raise CheckpointError(
            f"{name}: there is no such file or folder; give a run, a weight file, a name that "
            "`resnext weights list` shows, or OWNER/NAME on the Hugging Face Hub"
        )
    raise ConfigError(f"{name}: there is no such file or folder here; {not_found(name)}")


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:  # a folder on the way that may not be entered, or an endless name
        raise CheckpointError(
            f"{path}: cannot be read ({reason(error)}); check its name and its permissions"
        ) from None


def _may_be_on_hub(path: Path) -> bool:
    """Tell whether a missing path could be meant as OWNER/NAME.

    A name in a folder that is there, or in one where runs and trials are kept, is a path.
    """
    own = path.parent.name in ("runs", "studies")
    return is_repository(str(path)) and not own and not path.parent.exists()


_SUFFIXES = {".safetensors", ".pth", ".pt", ".pyth", ".bin", ".t7", ".ckpt", ".tar"}


def open_folder(folder: Path) -> Weights:
    """Open a run, or a folder laid out as a repository of the Hub.

    Raises:
        CheckpointError: It holds no weights.
    """
    for name in (BEST, *HUB_WEIGHTS):
        if (folder / name).exists():
            return open_file(folder / name)
    raise CheckpointError(
        f"{folder}: holds no {BEST}; a run has it after its first epoch: train longer, or "
        "name another folder or a weight file"
    )


def open_file(path: Path, card: ModelCard | None = None) -> Weights:
    """Open a weight file of any known family.

    Args:
        path: The file.
        card: What is known of it. By default its header's, that of the catalogue's entry
            with this file name, or what a config.json beside it says.

    Raises:
        CheckpointError: The file is damaged, of no known family, or incomplete.
    """
    check_regular(path)
    if kind_of(path) == "safetensors" and is_ours(read_metadata(path)):
        config, state, own_card = read_weights(path)
        return Weights(str(path), config, state, own_card)
    found = _read_foreign(path)
    card = card or _described(path)
    if card is None:
        card = _guess(found.config)
        _LOG.warning(
            "%s says neither its classes nor how it wants its images; assumed, as usual for such "
            "networks: %s",
            path,
            describe_preparation(card),
        )
        return replace(found, card=card, is_described=False)
    if len(card.classes) != found.config.num_classes:  # fine-tuned from what is described
        card = card.replace(classes=())
    return replace(found, card=card)


def _read_foreign(path: Path) -> Weights:
    """Read a file, give its tensors our names and infer their architecture."""
    tensors = read_tensors(path)
    with one_error(path, "holds no network that can be built", "take another file"):
        try:
            found = recognise(tensors)
            config = infer_config(found.state)
            check_state(config, found.state)
            check_fit(found, config)
        except (CheckpointError, ConfigError) as error:
            raise CheckpointError(f"{path}: {error}") from None
    has_head = "fc.weight" in found.state
    family = "torch7" if kind_of(path) == "torch7" else found.family
    return Weights(str(path), config, found.state, ModelCard(), family, has_head)


def _described(path: Path) -> ModelCard | None:
    """Return what the catalogue or a config.json beside a file says of it."""
    if (entry := entry_of_file(path)) is not None:
        return card_of(entry)
    config = path.with_name(HUB_CONFIG)
    return card_from_hub(config) if path.name in HUB_WEIGHTS and config.exists() else None


def _guess(config: ModelConfig) -> ModelCard:
    """Prepare images as is usual for such a network: ImageNet's way, or CIFAR's size."""
    grey = {"mean": (0.5,) * config.in_channels, "std": (0.5,) * config.in_channels}
    values: dict[str, Any] = {} if config.in_channels == len(ModelCard().mean) else grey
    if isinstance(config, ResNeXtConfig) and config.stem == "cifar":
        values |= {"image_size_px": 32, "resize_px": None}
    if config.num_classes == len(class_names("imagenet1k")):
        values["classes"] = class_names("imagenet1k")
    return ModelCard(**values)


def _from_entry(entry: WeightsEntry, file: Path) -> Weights:
    """Open the file of an entry, which must hold the network that the entry names."""
    weights = replace(open_file(file, card_of(entry)), name=entry.name)
    if name_of(weights.config) != name_of(parse_name(entry.network)):
        raise CheckpointError(
            f"{file}: holds {name_of(weights.config)}, but {entry.name} is {entry.network}; it is "
            "another file: remove it and fetch it again"
        )
    return weights


def _from_hub(name: str) -> Weights:
    """Open OWNER/NAME or OWNER/NAME@REVISION on the Hub."""
    repository, _, revision = name.partition("@")
    if not is_repository(repository):
        raise ConfigError(f"{HUB}{name}: a repository on the Hub is written {HUB}OWNER/NAME")
    for filename in HUB_WEIGHTS:
        try:
            path = hub_file(repository, filename, revision or None)
        except NoSuchHubFileError:
            continue
        with contextlib.suppress(NoSuchHubFileError):
            hub_file(repository, HUB_CONFIG, revision or None)  # read beside the weights
        found = open_file(path)
        return replace(found, name=repository, card=found.card.replace(source=repository))
    raise CheckpointError(f"{repository}: holds none of {', '.join(HUB_WEIGHTS)}")
