"""The designs that the paper chose at equal and at doubled cost.

Source: arXiv 1611.05431, tables 2, 3 and 4.
"""

from __future__ import annotations

from resnext.model.config import ResNeXtConfig

_EQUAL_COST = {1: 64, 2: 40, 4: 24, 8: 14, 32: 4}
_DOUBLED = {1: 100, 2: 64, 64: 4}
_IMAGENET_WIDTHS = (256, 512, 1024, 2048)
_DEPTH_101, _DEPTH_200 = (3, 4, 23, 3), (3, 24, 36, 3)


def paper_width(config: ResNeXtConfig, factor: float) -> ResNeXtConfig | None:
    """Return the paper's design of a cardinality, if it has one.

    Args:
        config: A design; the paper's have its ImageNet template.
        factor: Share of ResNet's cost: 1 for tables 2 and 3, 2 for table 4.
    """
    if config.block != "bottleneck" or config.stage_widths != _IMAGENET_WIDTHS:
        return None
    chosen = {1.0: _EQUAL_COST, 2.0: _DOUBLED}.get(factor, {})
    width = chosen.get(config.cardinality)
    return None if width is None else config.replace(bottleneck_width=width)


def paper_depth(base: ResNeXtConfig, factor: float) -> ResNeXtConfig | None:
    """Return the paper's deeper network: 200 layers for twice the cost of 101."""
    is_table_4 = base.blocks_per_stage == _DEPTH_101 and factor == 2.0
    return base.replace(blocks_per_stage=_DEPTH_200) if is_table_4 else None
