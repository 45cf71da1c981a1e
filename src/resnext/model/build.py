"""Builds modules from their plans."""

from __future__ import annotations

from torch import nn

from resnext.errors import ConfigError
from resnext.model.blocks import BasicBlock, GroupedBottleneck, ResidualBlock
from resnext.model.config import ResNeXtConfig
from resnext.model.embedding import TokenEmbedding
from resnext.model.feature_info import feature_info
from resnext.model.layers import Conv, conv
from resnext.model.parts import BlockPart, StemPart
from resnext.model.plan import BlockPlan, StemPlan, plan_network
from resnext.model.split_block import SplitBottleneck


def build_embedding(config: ResNeXtConfig) -> TokenEmbedding | None:
    """Build the embedding of a network for text; None for other networks."""
    if config.embedding is None:
        return None
    return TokenEmbedding(config.embedding, feature_info(plan_network(config))[-1]["reduction"])


def build_stem(plan: StemPlan, config: ResNeXtConfig) -> nn.Module:
    """Build the first convolution, or the registered stem."""
    if isinstance(config.stem, StemPart):
        return config.stem.build(config)
    return conv(config.ndim, plan.in_channels, plan.out_channels, plan.kernel, plan.stride)


def build_block(plan: BlockPlan, config: ResNeXtConfig) -> ResidualBlock:
    """Build one residual block of a network."""
    if isinstance(config.block, BlockPart):
        return _checked(config.block.build(plan, config), config.block, plan)
    if config.block == "basic":
        return BasicBlock(plan, config)
    if config.form == "c":
        return GroupedBottleneck(plan, config)
    return SplitBottleneck(plan, config)


def _checked(block: ResidualBlock, part: BlockPart, plan: BlockPlan) -> ResidualBlock:
    """Check that a registered block respects the output stride.

    Raises:
        ConfigError: None of its convolutions has the plan's dilation.
    """
    dilations = {max(layer.dilation) for layer in block.modules() if isinstance(layer, Conv)}
    missing = {plan.dilation, plan.last_dilation} - {1}
    if missing and not missing & dilations:
        raise ConfigError(
            f"block {part.name!r}: none of its convolutions has the dilation {max(missing)} "
            "required by output_stride; build its 3x3 with dilation=plan.dilation, or leave out "
            "output_stride"
        )
    return block
