"""The smallest network that has two stages, grouped convolutions and a projection."""

from resnext.model.config import ResNeXtConfig

TINY = ResNeXtConfig(
    stem="cifar",
    blocks_per_stage=(1, 1),
    cardinality=2,
    bottleneck_width=4,
    stage_widths=(16, 32),
    stem_width=8,
)
