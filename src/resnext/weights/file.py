"""Opens a weight file, or a folder with one: tensors, architecture, card."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import torch

from resnext.class_lists import class_names
from resnext.data.prepare.preparation import describe_preparation
from resnext.errors import CheckpointError, ConfigError
from resnext.foreign_file import one_error
from resnext.model.card import ModelCard
from resnext.model.choices import Head
from resnext.model.config import (
    BaselineConfig,
    DetectorConfig,
    ModelConfig,
    ResNeXtConfig,
    SegmenterConfig,
    body_of,
)
from resnext.model.detector_config import DETECTORS
from resnext.untrusted.text import printable
from resnext.weights.assumed import assumptions, pad_as_the_file
from resnext.weights.entry_card import card_of, entry_of_file
from resnext.weights.families.detection import assumed_of_detector, recognise_detector
from resnext.weights.families.family import Padding
from resnext.weights.families.recognise import Recognised, recognise
from resnext.weights.families.segmentation import assumed_of_segmenter, recognise_segmenter
from resnext.weights.fit import check_fit
from resnext.weights.foreign_kind import describe_kind
from resnext.weights.hub_card import card_from_hub, check_named_architecture
from resnext.weights.infer import infer_config
from resnext.weights.own_file import BEST, check_state, interpret, is_ours
from resnext.weights.read import read_file

_KNOWN_CLASSES = {**dict.fromkeys(get_args(Head), "voc"), **dict.fromkeys(DETECTORS, "coco90")}
"""Whose classes a network usually has, by its family."""

_LOG = logging.getLogger(__name__)

HUB_CONFIG = "config.json"
HUB_WEIGHTS = ("model.safetensors", "pytorch_model.bin")

SUFFIXES = {".safetensors", ".pth", ".pt", ".pyth", ".bin", ".t7", ".ckpt", ".tar", ".th"}
"""Common suffixes of weight files."""


@dataclass(frozen=True)
class Weights:
    """Weights under this package's names, with their architecture.

    Attributes:
        name: Name or path they were opened from, for messages.
        config: The architecture, from the file's header or inferred from the shapes. Without a
            classifier in the file, its number of classes is meaningless.
        state: The tensors, on the CPU.
        card: Classes, preprocessing, metrics; defaults where unknown.
        family: Library whose tensor names the file used.
        has_head: Whether the tensors include a classifier.
        is_described: Whether a card was found; otherwise it is a guess.
        assumed: Assumptions about the architecture that the file does not confirm.
    """

    name: str
    config: ModelConfig
    state: dict[str, torch.Tensor]
    card: ModelCard
    family: str = "resnext"
    has_head: bool = True
    is_described: bool = True
    assumed: tuple[str, ...] = ()


def open_folder(folder: Path, *, shortcut_padding: Padding | None = None) -> Weights:
    """Open a run, or a folder with the layout of a Hub repository.

    Raises:
        CheckpointError: It contains no weights.
    """
    for name in (BEST, *HUB_WEIGHTS):
        if (folder / name).exists():
            return open_file(folder / name, shortcut_padding=shortcut_padding)
    if other := describe_kind(folder):
        raise CheckpointError(f"{folder}: {other}")
    if files := _weight_files(folder):
        raise CheckpointError(
            f"{folder}: is not a run, but contains {', '.join(files)}; give the file instead of "
            "the folder"
        )
    raise CheckpointError(
        f"{folder}: contains no {BEST}; a run writes it after its first epoch: train longer, or "
        "give another folder or a weight file"
    )


def _weight_files(folder: Path) -> list[str]:
    """Return the names of some weight files in a folder, for a message."""
    try:
        names = sorted(item.name for item in folder.iterdir() if item.suffix in SUFFIXES)
    except OSError:
        return []
    return [printable(name) for name in names[:3]]


def open_file(
    path: Path, card: ModelCard | None = None, *, shortcut_padding: Padding | None = None
) -> Weights:
    """Open a weight file of any known family.

    Args:
        path: The file.
        card: Its card. By default from its header, the catalogue's entry with this file name, or a
            config.json next to it.
        shortcut_padding: See `open_weights`.

    Raises:
        CheckpointError: The file is damaged, of an unknown family, or incomplete; or its kind of
            shortcut cannot be determined.
    """
    kind, file = read_file(path)
    if is_ours(file.metadata):
        config, state, own_card = interpret(path, file)
        if shortcut_padding is not None:
            raise ConfigError(
                f"{path}: already defines its shortcuts; leave out the shortcut padding"
            )
        return Weights(str(path), config, state, own_card, has_head=config.num_classes > 0)
    found, config = _recognise(path, file.tensors)
    is_known = kind == "torch7"
    if card is None:
        card, is_named = _described(path, config)
    else:
        is_named = True
    assumed = () if is_known or is_named else _assumed(found, config, shortcut_padding)
    backbone = body_of(config)
    assert not isinstance(backbone, BaselineConfig)  # no file is known to be one
    with _named(path):
        state = found.state if is_known else pad_as_the_file(found, backbone, shortcut_padding)
    _warn(path, found, assumed, None if card is not None else usual_card(config))
    weights = Weights(
        str(path),
        config,
        state,
        card or usual_card(config),
        "torch7" if is_known else found.family,
        not isinstance(config, ResNeXtConfig) or "fc.weight" in state,
        is_described=card is not None,
        assumed=tuple(assumed),
    )
    if card is not None and len(card.classes) != config.num_classes:
        # fine-tuned from what is described
        weights = replace(weights, card=card.replace(classes=()))
    return weights


def _recognise(
    path: Path, tensors: dict[str, torch.Tensor]
) -> tuple[Recognised, ResNeXtConfig | SegmenterConfig | DetectorConfig]:
    """Rename a file's tensors to ours and infer their architecture."""
    with one_error(path, "contains no network that can be built", "use another file"), _named(path):
        if (segmenter := recognise_segmenter(tensors)) is not None:
            return segmenter
        if (detector := recognise_detector(tensors, path.name)) is not None:
            return detector
        found = recognise(tensors)
        config = infer_config(found.state)
        check_state(config, found.state)
        check_fit(found, config)
    return found, config


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    """Prefix error messages with a file's name."""
    try:
        yield
    except (CheckpointError, ConfigError) as error:
        raise CheckpointError(f"{path}: {error}") from None


def _warn(path: Path, found: Recognised, assumed: Sequence[str], guess: ModelCard | None) -> None:
    """Log one line for everything that was left out or assumed."""
    for note in found.notes:
        _LOG.warning("%s: %s", path, note)
    if assumed:
        _LOG.warning(
            "%s: its tensors do not fully determine the network; assumed: %s. If this is wrong, "
            "results will be wrong",
            path,
            "; ".join(assumed),
        )
    if guess is not None:
        _LOG.warning(
            "%s specifies neither classes nor preprocessing; assumed the usual for such "
            "networks: %s",
            path,
            describe_preparation(guess),
        )


def _assumed(
    found: Recognised,
    config: ResNeXtConfig | SegmenterConfig | DetectorConfig,
    padding: Padding | None,
) -> list[str]:
    if isinstance(config, SegmenterConfig):
        return assumed_of_segmenter(config)
    if isinstance(config, DetectorConfig):
        return assumed_of_detector(config)
    return assumptions(found, config, padding)


def _described(path: Path, config: ModelConfig) -> tuple[ModelCard | None, bool]:
    """Return the card from the catalogue or from a config.json next to a file, if any.

    Also return whether that specifies the architecture.
    """
    if (entry := entry_of_file(path)) is not None:
        return card_of(entry), True
    config_file = path.with_name(HUB_CONFIG)
    if path.name in HUB_WEIGHTS and config_file.exists():
        return card_from_hub(config_file), check_named_architecture(config_file, config)
    return None, False


def usual_card(config: ModelConfig) -> ModelCard:
    """Return the usual preprocessing of such a network: ImageNet's, or CIFAR's size."""
    grey = {"mean": (0.5,) * config.in_channels, "std": (0.5,) * config.in_channels}
    values: dict[str, Any] = {} if config.in_channels == len(ModelCard().mean) else grey
    if isinstance(config, ResNeXtConfig) and config.stem == "cifar":
        values |= {"image_size_px": 32, "resize_px": None}
    if isinstance(config, SegmenterConfig):
        values |= {"task": "segmentation", "image_size_px": 520, "resize_px": None}
    if isinstance(config, DetectorConfig):
        values |= {"task": "detection", "image_size_px": config.min_size_px, "resize_px": None}
    known = _KNOWN_CLASSES.get(config.family, "imagenet1k")
    if config.num_classes == len(class_names(known)):
        values["classes"] = class_names(known)
    return ModelCard(**values)
