"""From a run folder or a weight file to a network that is ready to predict."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from resnext.errors import CheckpointError
from resnext.model.create import create_model
from resnext.model.weights import load_into, read_weights

BEST = "best.safetensors"
"""The file of a run folder that holds the weights with the lowest validation error."""


def load(run_or_file: str | Path, device: str | torch.device = "cpu") -> nn.Module:
    """Rebuild a trained network.

    Example:
        >>> import resnext
        >>> model = resnext.load("runs/demo")  # doctest: +SKIP
        >>> model.card.classes  # doctest: +SKIP

    Args:
        run_or_file: A run folder, whose best weights are taken, or a weight file.
        device: Where the network goes.

    Returns:
        The network in evaluation mode; `.config` is its architecture and `.card` tells its
        classes and how to prepare images.

    Raises:
        CheckpointError: There are no such weights, or the file is torn, foreign or does
            not fit the network that it names.
    """
    path = Path(run_or_file)
    if path.is_dir():
        path = _best_of(path)
    config, state, card = read_weights(path)
    with torch.device("meta"):  # no time is spent on initial weights
        model = create_model(config)
    try:
        load_into(model, state, assign=True)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from None
    model.card = card  # type: ignore[assignment]  # a plain attribute, no submodule
    return model.to(device).eval()


def _best_of(run: Path) -> Path:
    if not (run / BEST).exists():
        raise CheckpointError(
            f"{run}: holds no {BEST}; a run has it after its first epoch: train longer, or "
            "name another folder or a weight file"
        )
    return run / BEST
