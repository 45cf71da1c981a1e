"""Batch normalisation folded into the convolutions before it: the same function, fewer layers.

Source: Jacob et al., arXiv 1712.05877, section 3.2 (equation 14).
"""

from __future__ import annotations

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from resnext.model.backbone import Backbone
from resnext.model.blocks import BasicBlock, GroupedBottleneck
from resnext.model.network import ResNeXt

# By layer names: post-activation blocks normalise the output of each convolution;
# pre-activation blocks normalise the sum first, then the first and second outputs.
_POST = (("conv1", "bn1"), ("conv2", "bn2"), ("conv3", "bn3"))
_PRE = (("conv1", "bn2"), ("conv2", "bn3"))


def fold_batch_norm(network: nn.Module) -> nn.Module:
    """Fold every BN that follows a convolution, in place.

    The BN before pre-activation blocks and the final BN follow a sum and stay. Networks other
    than ours are not changed, nor are heads on our backbones; runtimes fold most of their BN on
    loading.

    Args:
        network: The network, in evaluation mode and form (c); it is changed.

    Returns:
        The same network.
    """
    if isinstance(backbone := getattr(network, "backbone", None), Backbone):
        fold_batch_norm(backbone)
    if not isinstance(network, ResNeXt | Backbone):
        return network
    _fold(network, "conv1", "bn1")
    for name, module in list(network.named_modules()):
        if type(module) in (BasicBlock, GroupedBottleneck):  # others may use another order
            for conv, norm in _PRE if network.config.preactivation else _POST:
                _fold(module, conv, norm)
        elif name.endswith(".downsample"):
            _fold(module, "0", "1")
    return network


def _fold(owner: nn.Module, conv: str, norm: str) -> None:
    first, second = getattr(owner, conv, None), getattr(owner, norm, None)
    if not isinstance(first, nn.Conv1d | nn.Conv2d | nn.Conv3d):
        return
    if not isinstance(second, nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
        return
    setattr(owner, conv, fuse_conv_bn_eval(first, second))
    setattr(owner, norm, nn.Identity())
