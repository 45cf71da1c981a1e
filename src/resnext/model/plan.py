"""The plan of a network: each block's shapes as plain data.

Both the network and its cost are derived from it, so they cannot disagree about a stride or a
width. Nothing here needs torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from resnext.model.config import ResNeXtConfig
from resnext.model.parts import ShortcutPart, StemPart

ShortcutKind = Literal["identity", "projection", "zero_pad", "custom", "none"]
"""`custom` is a registered part."""


@dataclass(frozen=True)
class StemPlan:
    """The first convolution and its pool, or a registered part instead.

    Attributes:
        in_channels: Channels of the input, or of the embedding in front.
        out_channels: Channels of the convolution.
        kernel: Side of the convolution's kernel; 0 for a part.
        stride: Stride of the convolution, or of the part.
        pool: Whether a 3x3 max pool of stride 2 follows.
        norm: Whether BN and ReLU follow the convolution (not with pre-activation blocks).
    """

    in_channels: int
    out_channels: int
    kernel: int
    stride: int
    pool: bool
    norm: bool

    @property
    def total_stride(self) -> int:
        """Input positions per position of the map after the pool."""
        return self.stride * (2 if self.pool else 1)


@dataclass(frozen=True)
class BlockPlan:
    """One residual block.

    Attributes:
        stage: Index of its stage, from 0.
        index: Index in its stage, from 0.
        in_channels: Input channels.
        group_width: C·d at this stage: channels of the 3x3 convolution.
        out_channels: Output channels.
        stride: Stride of the 3x3 convolution (the first one of a basic block).
        dilation: Its dilation.
        last_dilation: Dilation of a basic block's second 3x3 convolution, and of the following
            blocks.
        cardinality: C, paths of the block.
        shortcut: Kind of shortcut.
    """

    stage: int
    index: int
    in_channels: int
    group_width: int
    out_channels: int
    stride: int
    cardinality: int
    shortcut: ShortcutKind
    dilation: int = 1
    last_dilation: int = 1

    @property
    def path_width(self) -> int:
        """Channels of one path: d at this stage."""
        return self.group_width // self.cardinality


@dataclass(frozen=True)
class NetworkPlan:
    """Stem, blocks by stage, and input channels of the classifier.

    Attributes:
        stem: The first convolution.
        stages: The blocks of each stage.
        final_norm: Whether BN and ReLU precede the pooling (pre-activation networks).
        out_channels: Input channels of the classifier.
    """

    stem: StemPlan
    stages: tuple[tuple[BlockPlan, ...], ...]
    final_norm: bool
    out_channels: int


def plan_network(config: ResNeXtConfig) -> NetworkPlan:
    """Return the shapes of every block of a network, in execution order.

    Source: arXiv 1611.05431, section 3.1: blocks of one map size share their
    hyper-parameters; width doubles when the map is halved.
    """
    stem = _plan_stem(config)
    stages = []
    channels = config.stem_width
    steps = _plan_steps(config, stem.total_stride)
    for stage, step in enumerate(steps):
        blocks = _plan_stage(config, stage, channels, step)
        channels = blocks[-1].out_channels
        stages.append(blocks)
    return NetworkPlan(stem, tuple(stages), config.preactivation, channels)


@dataclass(frozen=True)
class _Step:
    """The stride of a stage's first block, and the dilations before and after it."""

    stride: int
    dilation_before: int
    dilation: int


def _plan_steps(config: ResNeXtConfig, stem_stride: int) -> list[_Step]:
    """Replace strides that would exceed the output stride with dilation.

    A stage's first block uses the dilation of the previous stage.

    Source: Yu and Koltun, arXiv 1511.07122; torchvision's `replace_stride_with_dilation`, timm's
    `output_stride`.
    """
    steps = []
    reached, dilation = stem_stride, 1
    for stage in range(len(config.blocks_per_stage)):
        stride, before = 1 if stage == 0 else 2, dilation
        if config.output_stride is not None and reached >= config.output_stride:
            stride, dilation = 1, dilation * stride
        reached *= stride
        steps.append(_Step(stride, before, dilation))
    return steps


def _plan_stem(config: ResNeXtConfig) -> StemPlan:
    in_channels = config.in_channels if config.embedding is None else config.embedding.width
    channels = (in_channels, config.stem_width)
    if isinstance(config.stem, StemPart):
        return StemPlan(*channels, kernel=0, stride=config.stem.stride, pool=False, norm=False)
    imagenet = config.stem == "imagenet"
    return StemPlan(
        *channels,
        kernel=7 if imagenet else 3,
        stride=2 if imagenet else 1,
        pool=imagenet,
        norm=not config.preactivation,
    )


def _plan_stage(
    config: ResNeXtConfig, stage: int, in_channels: int, step: _Step
) -> tuple[BlockPlan, ...]:
    blocks = []
    for index in range(config.blocks_per_stage[stage]):
        is_first = index == 0
        # A dilated stage keeps the projection of its step, so that the weights are the same.
        changes_shape = (is_first and stage > 0) or in_channels != config.stage_widths[stage]
        out_channels = config.stage_widths[stage]
        blocks.append(
            BlockPlan(
                stage=stage,
                index=index,
                in_channels=in_channels,
                group_width=config.cardinality * config.bottleneck_width * 2**stage,
                out_channels=out_channels,
                stride=step.stride if is_first else 1,
                cardinality=config.cardinality,
                shortcut=_shortcut(config, changes_shape),
                dilation=step.dilation_before if is_first else step.dilation,
                last_dilation=step.dilation,
            )
        )
        in_channels = out_channels
    return tuple(blocks)


def _shortcut(config: ResNeXtConfig, changes_shape: bool) -> ShortcutKind:
    if config.shortcut == "none":
        return "none"
    if config.shortcut == "C":
        return "projection"
    if isinstance(config.shortcut, ShortcutPart) and (changes_shape or config.shortcut.everywhere):
        return "custom"
    if not changes_shape:
        return "identity"
    return "zero_pad" if config.shortcut == "A" else "projection"
