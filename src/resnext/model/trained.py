"""A network or backbone with weights and card."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from resnext.errors import ConfigError
from resnext.model.backbone import Backbone
from resnext.model.card import ModelCard
from resnext.model.config import DetectorConfig, ModelConfig, ResNeXtConfig


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """A trained network, ready to predict.

    Example:
        >>> import resnext
        >>> network = resnext.load("runs/demo")  # doctest: +SKIP
        >>> network.classes, network.card.image_size_px  # doctest: +SKIP
        >>> network(images_bchw).softmax(dim=1)  # doctest: +SKIP

    Attributes:
        module: The network, in evaluation mode.
        config: Its architecture.
        card: Its classes and preprocessing.
    """

    module: nn.Module
    config: ModelConfig
    card: ModelCard

    def __post_init__(self) -> None:
        """Check that the network has a classifier.

        Raises:
            ConfigError: It has no classifier.
        """
        if not self.config.num_classes:
            raise ConfigError(
                "num_classes=0: the network has no classifier, so it cannot predict; add one "
                "(module.reset_classifier(NUM_CLASSES)), or use the module directly"
            )

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the outputs, or their numbers if the card has none."""
        return self.card.output_names(self.config.num_classes)

    def __call__(self, images_bchw: torch.Tensor) -> torch.Tensor:
        """Return the logits of normalised images, b x num_classes.

        Args:
            images_bchw: float32 on the network's device, preprocessed as in the card.

        Raises:
            ConfigError: The images do not fit the network, or it finds objects.
        """
        if isinstance(self.config, DetectorConfig):
            raise ConfigError(
                f"{self.config.family} finds objects and normalises images itself; give "
                "network.module a list of images, channels x height x width with values in 0..1"
            )
        logits_bk: torch.Tensor = self.module(images_bchw)
        return logits_bk

    def move_to(self, device: torch.device) -> nn.Module:
        """Move the network to a device, in the layout of the loaders; return its module."""
        module = self.module.to(device)
        if getattr(self.config, "ndim", 2) != 2:  # the layout is one of images
            return module
        return module.to(memory_format=torch.channels_last)


@dataclass(frozen=True, eq=False)
class TrainedBackbone:
    """A backbone with trained weights, for use in another network.

    Example:
        >>> import resnext
        >>> trained = resnext.load(
        ...     "resnext50_32x4d.a1h_in1k", out_indices=(1, 2, 3, 4), output_stride=16
        ... )  # doctest: +SKIP
        >>> trained.module.feature_info.channels()  # doctest: +SKIP
        [256, 512, 1024, 2048]

    Attributes:
        module: The backbone, in evaluation mode.
        config: The architecture of the whole network, without classes.
        card: Its preprocessing.
    """

    module: Backbone
    config: ResNeXtConfig
    card: ModelCard

    def __call__(self, images_bchw: torch.Tensor) -> list[torch.Tensor]:
        """Return the maps of normalised images; see `Backbone.forward`.

        Args:
            images_bchw: float32 on the backbone's device, preprocessed as in the card.

        Raises:
            ConfigError: The images do not fit the network.
        """
        maps: list[torch.Tensor] = self.module(images_bchw)
        return maps
