"""Writes weights in the format of a library: ours, torchvision's, timm's."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Literal

import torch

from resnext.errors import CheckpointError, ConfigError
from resnext.files import write_whole
from resnext.model.choices import DECODERS
from resnext.model.config import (
    BaselineConfig,
    DetectorConfig,
    ModelConfig,
    SegmenterConfig,
    describe_parts,
)
from resnext.model.template import template_stage_widths
from resnext.weights.change import form
from resnext.weights.file import Weights
from resnext.weights.own_file import save_weights
from resnext.weights.timm_format import why_not_timm

Format = Literal["safetensors", "torchvision", "timm"]


def write(weights: Weights, path: Path, kind: Format) -> None:
    """Write weights in a library's format atomically.

    `safetensors` is our own format, with config and card. `timm` is the same file in form (c),
    whose tensors timm reads under the same names. `torchvision` is a state dict saved with
    `torch.save`, without config and card.

    Args:
        weights: The weights, classifier included.
        path: The file; an existing one is replaced.
        kind: The format.

    Raises:
        ConfigError: The library has no such network; the message says why.
        CheckpointError: The file cannot be written.
    """
    if kind != "safetensors":
        if reason := _REASONS[kind](weights.config):
            raise ConfigError(
                f"{weights.name}: {kind} has no such network: {reason}; use --format safetensors"
            )
        weights = form(weights, "c")
    if kind == "torchvision":
        _save_state(weights.state, path)
    else:
        save_weights(path, weights.state, weights.config, weights.card)


def why_not_torchvision(config: ModelConfig) -> str:
    """Describe what torchvision's ResNet does not support in a network; empty if nothing."""
    if isinstance(config, BaselineConfig):
        return ""
    if isinstance(config, SegmenterConfig):
        if config.family in DECODERS:
            return f"its decoder ({config.family}) is that of segmentation_models_pytorch"
        config = config.backbone
        if config.form != "c":
            return f"its backbone is in form {config.form}, not c"
    if isinstance(config, DetectorConfig):
        config = config.backbone
        if config.form != "c":
            return f"its backbone is in form {config.form}, not c"
    if config.parts:
        return describe_parts(config)
    widths = template_stage_widths(config.block, 4)
    reasons = {
        "its stem is CIFAR's": config.stem != "imagenet",
        f"its stem has {config.stem_width} channels, not 64": config.stem_width != 64,
        f"it has {len(config.blocks_per_stage)} stages, not 4": len(config.blocks_per_stage) != 4,
        f"its stages are {config.stage_widths} wide, not {widths}": config.stage_widths != widths,
        f"its shortcuts are of type {config.shortcut}, not B": config.shortcut != "B",
        "it is pre-activated": config.preactivation,
        f"it has {config.ndim} dimension(s), not 2": config.ndim != 2,
        f"it takes {config.in_channels} channel(s), not 3": config.in_channels != 3,
    }
    return "; ".join(reason for reason, holds in reasons.items() if holds)


_REASONS = {"torchvision": why_not_torchvision, "timm": why_not_timm}


def _save_state(state: dict[str, torch.Tensor], path: Path) -> None:
    try:
        buffer = io.BytesIO()  # given a path, torch may end the process if the disk is full
        torch.save({name: tensor.contiguous() for name, tensor in state.items()}, buffer)
        write_whole(path, buffer.getbuffer())
    except OSError as error:
        raise CheckpointError(
            f"{path}: cannot be written ({error}); free some space or choose another folder"
        ) from error
