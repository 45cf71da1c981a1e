"""A trained network with its architecture and card, typed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from resnext.errors import CheckpointError
from resnext.model.card import ModelCard
from resnext.model.config import BaselineConfig, ResNeXtConfig
from resnext.runtimes.module import ExportedModule
from resnext.runtimes.open import is_exported, open_exported
from resnext.weights.load import load


@dataclass(frozen=True)
class Loaded:
    """A network that is ready to predict.

    Attributes:
        module: The network, in evaluation mode.
        config: Its architecture.
        card: Its classes, and how it wants its images.
    """

    module: nn.Module
    config: ResNeXtConfig | BaselineConfig
    card: ModelCard

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the outputs, or their numbers where the card has none."""
        return self.card.classes or tuple(str(label) for label in range(self.config.num_classes))

    def move_to(self, device: torch.device) -> nn.Module:
        """Move the network, in the memory layout that images come in, and return it."""
        return self.module.to(device).to(memory_format=torch.channels_last)


def open_model(run_or_file: Path) -> Loaded:
    """Load the best weights of a run, a weight file, or a file that `resnext export` wrote.

    Raises:
        CheckpointError: There are none, or they are damaged.
        ConfigError: The runtime of an exported file is not installed.
    """
    is_file = is_exported(run_or_file)
    module = ExportedModule(open_exported(run_or_file)) if is_file else load(run_or_file)
    config, card = module.config, module.card
    assert isinstance(config, ResNeXtConfig | BaselineConfig)
    assert isinstance(card, ModelCard)
    for name, values in (("mean", card.mean), ("std", card.std)):
        if len(values) not in (1, config.in_channels):
            raise CheckpointError(
                f"{run_or_file}: its {name} has {len(values)} numbers for {config.in_channels} "
                "channels; it was edited: copy it again, or convert or export the network anew"
            )
    return Loaded(module, config, card)
