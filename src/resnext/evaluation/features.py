"""Frozen features: the input of a network's classifier.

Legend: b images, c channels, h x w positions, d features.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from resnext.data.loading.batch import Batch
from resnext.errors import CheckpointError, ConfigError
from resnext.model.config import ResNeXtConfig
from resnext.model.network import ResNeXt
from resnext.runtimes.module import ExportedModule


@dataclass(frozen=True)
class FeatureBatch:
    """The features of some images, on the CPU.

    Attributes:
        indices_b: Numbers of the images in their split, int64.
        labels_b: Classes of the data set, int64.
        features_bd: One row per image, float32.
    """

    indices_b: torch.Tensor
    labels_b: torch.Tensor
    features_bd: torch.Tensor


class Embedder:
    """Turns images into features.

    By default these are exactly the input of the classifier, the network's last linear layer, for
    every network. For a ResNeXt it is the last stage's map averaged over its positions (section 3.1
    and table 1 of the paper: global average pooling).
    """

    def __init__(self, module: nn.Module, stage: int | None = None) -> None:
        """Set up the extraction.

        Args:
            module: The network, in evaluation mode.
            stage: Average the map of this stage instead, numbered from 1; later stages are
                not computed.

        Raises:
            ConfigError: The network has no such stage, or is an exported file.
        """
        if isinstance(module, ExportedModule):
            raise ConfigError(
                f"{module.exported.path}: an exported file only returns logits; give the run or "
                "weight file it was exported from"
            )
        _check_stage(module, stage)
        self._module = module
        self._stage = stage
        self._classifier = [m for m in module.modules() if isinstance(m, nn.Linear)][-1]

    def __call__(self, images_bchw: torch.Tensor) -> torch.Tensor:
        """Return b x d features on the device of the images, float32.

        Raises:
            ConfigError: The images do not fit the network.
        """
        with torch.inference_mode():
            if self._stage is None:
                return self._before_classifier(images_bchw).float()
            assert isinstance(self._module, ResNeXt)
            (map_bchw,) = self._module.features(images_bchw, [self._stage]).values()
            return map_bchw.float().mean(dim=tuple(range(2, map_bchw.ndim)))

    def _before_classifier(self, images_bchw: torch.Tensor) -> torch.Tensor:
        seen: list[torch.Tensor] = []

        def keep(_: nn.Module, inputs: tuple[Any, ...]) -> None:
            seen.append(inputs[0])

        hook = self._classifier.register_forward_pre_hook(keep)
        try:
            self._module(images_bchw)
        finally:
            hook.remove()
        (features_bd,) = seen
        return features_bd


def extract(embedder: Embedder, batches: Iterable[Batch]) -> Iterator[FeatureBatch]:
    """Yield the features batch by batch, without keeping them.

    Args:
        embedder: The network.
        batches: Images, one view each, on the device of the network.

    Raises:
        CheckpointError: Features are not finite.
    """
    for batch in batches:
        assert batch.num_views == 1
        features_bd = embedder(batch.images_bchw).cpu()
        if not bool(features_bd.isfinite().all()):
            raise CheckpointError(
                "the network's features are not finite, so its training diverged; use earlier "
                "weights"
            )
        yield FeatureBatch(batch.indices_b.cpu(), batch.targets_b.cpu(), features_bd)


def _check_stage(module: nn.Module, stage: int | None) -> None:
    if stage is None:
        return
    config = module.config
    if not isinstance(config, ResNeXtConfig):
        family = getattr(config, "family", type(module).__name__)
        raise ConfigError(f"--stage {stage}: {family} has no stages; leave out --stage")
    num_stages = len(config.blocks_per_stage)
    if not 1 <= stage <= num_stages:
        raise ConfigError(f"--stage {stage}: the network has stages 1 to {num_stages}")
