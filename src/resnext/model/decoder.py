"""Decoders that go back from small maps to large ones: those of segmentation_models_pytorch.

Their layers and first weights are that library's, so that tensors of its `Unet` and `FPN` fit:
`classifier.decoder` and `classifier.head` are its `decoder` and `segmentation_head`. Legend: b
images, c channels, k classes, h x w pixels.
"""

from __future__ import annotations

import importlib
from typing import Any

import torch
from torch import nn

from resnext.errors import ConfigError
from resnext.extras import import_for
from resnext.model.config import SegmenterConfig
from resnext.model.feature_info import FeatureInfo
from resnext.model.template import unet_channels

_LIBRARY = "segmentation_models_pytorch"
_A_LAYER = {"unet": "blocks.0.conv1.0.weight", "fpn": "seg_blocks.3.block.0.block.0.weight"}
"""Identifies decoders of known versions by name."""


class Decoder(nn.Module):
    """A decoder of the library's and its head.

    Attributes:
        decoder: From maps to one map, as large as the image (`unet`) or the first map (`fpn`).
        head: A convolution to the classes and, behind a pyramid, the resize to the image.
    """

    def __init__(self, config: SegmenterConfig, maps: FeatureInfo) -> None:
        """Build a decoder.

        Args:
            config: The network.
            maps: What the backbone gives to it.

        Raises:
            ConfigError: The library is missing, or of a version with other decoders.
        """
        super().__init__()
        self._reads_image = config.family == "unet"
        import_for(f"the decoder of {config.family}", _LIBRARY)
        try:
            if config.family == "unet":
                self.decoder, self.head = _unet(config, maps.channels())
            else:
                self.decoder, self.head = _fpn(config, maps)
        except (AttributeError, ImportError, TypeError, ValueError) as error:
            raise _unknown_version(config.family) from error
        if _A_LAYER[config.family] not in self.decoder.state_dict():
            raise _unknown_version(config.family)

    def forward(self, maps: list[torch.Tensor], images_bchw: torch.Tensor) -> torch.Tensor:
        """Return the scores of every pixel's classes, b x k x h x w.

        Args:
            maps: Those of the backbone, from large to small.
            images_bchw: The images, whose size the scores get.
        """
        # A U-Net takes the sizes of its maps from its inputs, the image's from the first.
        inputs = [images_bchw, *maps] if self._reads_image else maps
        scores_bkhw: torch.Tensor = self.head(self.decoder(inputs))
        return scores_bkhw


def _unet(config: SegmenterConfig, channels: list[int]) -> tuple[nn.Module, nn.Module]:
    module = _module("decoders.unet.decoder")
    widths = unet_channels(len(channels))
    decoder = module.UnetDecoder(
        encoder_channels=(config.in_channels, *channels),
        decoder_channels=widths,
        n_blocks=len(widths),
    )
    return _initialised(decoder, _head(widths[-1], config.num_classes, kernel_size=3))


def _fpn(config: SegmenterConfig, maps: FeatureInfo) -> tuple[nn.Module, nn.Module]:
    decoder = _module("decoders.fpn.decoder").FPNDecoder(encoder_channels=maps.channels())
    upsampling = maps.reduction()[0]
    head = _head(decoder.out_channels, config.num_classes, kernel_size=1, upsampling=upsampling)
    return _initialised(decoder, head)


def _head(in_channels: int, num_classes: int, **options: int) -> Any:
    return _module("base.heads").SegmentationHead(in_channels, num_classes, **options)


def _initialised(decoder: nn.Module, head: nn.Module) -> tuple[nn.Module, nn.Module]:
    """Draw the weights as the library does for its own networks."""
    draw = _module("base.initialization")
    draw.initialize_decoder(decoder)
    draw.initialize_head(head)
    return decoder, head


def _module(name: str) -> Any:
    return importlib.import_module(f"{_LIBRARY}.{name}")


def _unknown_version(family: str) -> ConfigError:
    version = getattr(importlib.import_module(_LIBRARY), "__version__", "unknown")
    return ConfigError(
        f"{family}: the decoder of {_LIBRARY} {version} is not supported; install version 0.5 or "
        "0.6"
    )
