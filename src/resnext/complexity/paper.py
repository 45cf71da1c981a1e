"""The designs that the paper chose at equal and at doubled cost.

Source: arXiv 1611.05431, tables 2, 3 and 4.
"""

from __future__ import annotations

from resnext.model.config import ResNeXtConfig

_EQUAL_COST = {1: 64, 2: 40, 4: 24, 8: 14, 32: 4}
_DOUBLED = {1: 100, 2: 64, 64: 4}
_IMAGENET_WIDTHS = (256, 512, 1024, 2048)


def paper_width(config: ResNeXtConfig, factor: float) -> int | None:
    """Return the bottleneck width that the paper chose for a cardinality.

    Args:
        config: A design; the paper's are those of its ImageNet template.
        factor: Share of ResNet's cost: 1 for tables 2 and 3, 2 for table 4.
    """
    if config.block != "bottleneck" or config.stage_widths != _IMAGENET_WIDTHS:
        return None
    chosen = {1.0: _EQUAL_COST, 2.0: _DOUBLED}.get(factor, {})
    return chosen.get(config.cardinality)
