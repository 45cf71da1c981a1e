"""A network with its weights, and with what is known of them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from resnext.model.card import ModelCard
from resnext.model.config import ModelConfig


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """A network that is ready to predict.

    Example:
        >>> import resnext
        >>> network = resnext.load("runs/demo")  # doctest: +SKIP
        >>> network.classes, network.card.image_size_px  # doctest: +SKIP
        >>> network(images_bchw).softmax(dim=1)  # doctest: +SKIP

    Attributes:
        module: The network, in evaluation mode.
        config: Its architecture.
        card: Its classes, and how it wants its images.
    """

    module: nn.Module
    config: ModelConfig
    card: ModelCard

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the outputs, or their numbers where the card has none."""
        return self.card.output_names(self.config.num_classes)

    def __call__(self, images_bchw: torch.Tensor) -> torch.Tensor:
        """Return the logits of normalised images, b x num_classes.

        Args:
            images_bchw: float32 on the network's device, prepared as the card says.

        Raises:
            ConfigError: The images do not fit the network.
        """
        logits_bk: torch.Tensor = self.module(images_bchw)
        return logits_bk

    def move_to(self, device: torch.device) -> nn.Module:
        """Move the network, in the memory layout that images come in, and return its module."""
        return self.module.to(device).to(memory_format=torch.channels_last)
