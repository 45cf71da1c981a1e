"""A network without its head: images in, maps out.

Legend: b batch, c channels, then 1 to 3 spatial dimensions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch._jit_internal import is_scripting

from resnext.model.config import ResNeXtConfig
from resnext.model.feature_info import FeatureInfo, Indices, feature_info
from resnext.model.frames import join_frames, split_frames
from resnext.model.layers import check_input
from resnext.model.network import ResNeXt
from resnext.model.plan import plan_network

if TYPE_CHECKING:
    from resnext.model.embedding import TokenEmbedding


class Backbone(nn.Module):
    """The layers of a network up to the last requested map.

    Its parameters have the same names as in the network, which are torchvision's. Layers that no
    map needs are left out, so that every parameter gets a gradient.

    Example:
        >>> import torch
        >>> from resnext import create_model
        >>> backbone = create_model("resnet18", out_indices=(2, 4), output_stride=16)
        >>> [tuple(x.shape) for x in backbone(torch.zeros(1, 3, 64, 64))]
        [(1, 128, 8, 8), (1, 512, 4, 4)]

    Attributes:
        config: The architecture of the whole network, without classes.
        feature_info: Channels and reduction of the maps.
    """

    # torch.jit.script finds other attributes by their address, which may have been a function's.
    __constants__ = ("_taps", "_pools_time", "_clears_padding")
    if TYPE_CHECKING:
        embed: TokenEmbedding  # of a network for text

    def __init__(self, network: ResNeXt, out_indices: Indices | None = None) -> None:
        """Create a backbone that shares the layers of a network.

        Args:
            network: The network.
            out_indices: 0 is the stem's map before its pool, then the stages'; negative numbers
                count from the end; an integer n means the last n maps; None means all.

        Raises:
            ConfigError: There is no such map.
        """
        super().__init__()
        self.config: ResNeXtConfig = network.config.replace(num_classes=0)
        info = feature_info(plan_network(network.config), out_indices)
        self.feature_info: FeatureInfo = info
        self._taps = tuple(info.module_name())
        self._pools_time = network.config.pool_time
        self._clears_padding = network.config.embedding is not None and info[-1]["module"] in (
            self._taps
        )
        for name, layer in network.named_children():
            self.add_module(name, layer)
            if name == self._taps[-1]:
                break
        self.train(network.training)

    def forward(self, x_bc: torch.Tensor) -> list[torch.Tensor]:
        """Return the maps, in the order of the network.

        The last map of a network for text is without padding, as `ResNeXt.features` returns it.

        Args:
            x_bc: As for the network: b x in_channels x spatial dimensions of any size.

        Returns:
            One map b x channels x space / reduction for each index; see `feature_info`.

        Raises:
            ConfigError: The rank or the number of channels does not fit the config.
        """
        if not is_scripting():
            check_input(x_bc, self.config)
        input_bc = x_bc
        if self._pools_time:
            x_bc = split_frames(x_bc)
        maps: list[torch.Tensor] = []
        for name, layer in self.named_children():  # a loop that torch.jit.script unrolls
            x_bc = layer(x_bc)
            if name in self._taps:
                maps.append(x_bc)
        if self._clears_padding:
            maps[-1] = self.embed.without_padding(maps[-1], input_bc)
        if self._pools_time:
            maps = [join_frames(map_bc, input_bc.shape[0]) for map_bc in maps]
        return maps
