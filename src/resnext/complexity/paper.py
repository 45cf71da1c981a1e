"""The designs that the paper chose at equal and at doubled cost.

Source: arXiv 1611.05431, tables 2, 3 and 4.
"""

from __future__ import annotations

from resnext.model.config import ResNeXtConfig

_EQUAL_COST = {1: 64, 2: 40, 4: 24, 8: 14, 32: 4}
_DOUBLED = {1: 100, 2: 64, 64: 4}
_IMAGENET_WIDTHS = (256, 512, 1024, 2048)
_DEPTH_101, _DEPTH_200 = (3, 4, 23, 3), (3, 24, 36, 3)


def paper_width(config: ResNeXtConfig, like: ResNeXtConfig, factor: float) -> ResNeXtConfig | None:
    """Return the width that the paper chose for a cardinality, if it covers the same case.

    Args:
        config: A design; the paper's designs use its ImageNet template.
        like: The network whose cost it matches.
        factor: Multiple of that cost: 1 for tables 2 and 3, 2 for table 4.
    """
    if not (_is_of_paper(config) and _is_of_equal_cost(like)):
        return None
    if factor == 2.0 and like.blocks_per_stage != _DEPTH_101:
        return None
    chosen = {1.0: _EQUAL_COST, 2.0: _DOUBLED}.get(factor, {})
    width = chosen.get(config.cardinality)
    return None if width is None else config.replace(bottleneck_width=width)


def paper_depth(config: ResNeXtConfig, like: ResNeXtConfig, factor: float) -> ResNeXtConfig | None:
    """Return the paper's deeper ResNet: 200 layers for twice the cost of 101 (table 4)."""
    is_table_4 = like.blocks_per_stage == _DEPTH_101 and factor == 2.0
    if not is_table_4 or config.template != "1x64d" or not _is_of_equal_cost(like):
        return None
    return config.replace(blocks_per_stage=_DEPTH_200) if _is_of_paper(config) else None


def _is_of_paper(config: ResNeXtConfig) -> bool:
    return config.block == "bottleneck" and config.stage_widths == _IMAGENET_WIDTHS


def _is_of_equal_cost(config: ResNeXtConfig) -> bool:
    return _is_of_paper(config) and _EQUAL_COST.get(config.cardinality) == config.bottleneck_width
