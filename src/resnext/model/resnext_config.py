"""A network is data: the frozen, typed description of one ResNeXt.

ResNet is cardinality 1. Nothing here needs torch, so that a network's cost is available before
torch is imported.

Source: arXiv 1611.05431, section 3 and table 1.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    StrictBool,
    model_serializer,
    model_validator,
)

from resnext.errors import ConfigError
from resnext.model.choices import (
    MAX_SIZE,
    TWO_LAYER_REASON,
    BlockChoice,
    Form,
    ShortcutChoice,
    Size,
    StemChoice,
    read_block,
    read_stem,
)
from resnext.model.embedding_config import EmbeddingConfig
from resnext.model.parts import Part, StemPart
from resnext.model.template import (
    MAX_STAGES,
    either,
    num_layers,
    output_strides,
    template_stage_widths,
)
from resnext.settings import Settings, Whole


class ResNeXtConfig(Settings):
    """The architecture of a residual network of aggregated transformations.

    Attributes:
        family: Distinguishes this config from the baselines in a file.
        stem: `imagenet` is 7x7/2 and a 3x3/2 max pool; `cifar` is 3x3 without pooling; or a
            registered part, as are block and shortcut (docs/custom-blocks.md).
        blocks_per_stage: Residual blocks of each stage; the map halves between stages.
        cardinality: C, the number of paths of a block.
        bottleneck_width: d, channels of one path in the first stage; doubled at each stage.
        stage_widths: Output channels of each stage; by default the paper's.
        stem_width: Output channels of the stem.
        block: `bottleneck` is 1x1, 3x3, 1x1; `basic` is two 3x3 (cardinality 1 only).
        form: (a) separate paths summed, (b) early concatenation, (c) grouped convolution.
        shortcut: A pads with zeros, B projects where the shape changes, C always projects,
            `none` removes the shortcut (the paper's ablation).
        preactivation: BN and ReLU before each convolution (version 1 of the paper).
        ndim: Spatial dimensions: 1 (signals, text), 2 (images), 3 (volumes, video).
        in_channels: Channels of the input.
        num_classes: Classes of the head; with 0 there is no head, and the network returns its
            input: the last map, averaged over its positions.
        zero_init_residual: Start each residual branch at zero: the weight of its last BN is 0
            or, in pre-activation blocks, that of its last convolution.
        dropout: Share of the pooled features that training sets to zero in front of the
            classifier. The default 0 is not stored.
        output_stride: Input positions per position of the last map, along every dimension, if fewer
            than by the stages' strides: 16, 8 or 4 instead of the 32 of an ImageNet network. Later
            stages dilate their 3x3 convolutions instead of striding; the weights stay the same. The
            default is stored as null.
        pool_time: For video: the input has an axis of time in front of the rows; a network of two
            dimensions sees frame by frame, and its head averages over all of them. The default
            false is not stored.
        embedding: For text: a vector for each token in front of the first convolution. The input
            is then one channel of token numbers in one dimension. None, the default, is not stored.
    """

    family: Literal["resnext"] = "resnext"
    stem: StemChoice = "imagenet"
    blocks_per_stage: Annotated[tuple[Size, ...], Field(min_length=1, max_length=MAX_STAGES)] = (
        3,
        4,
        6,
        3,
    )
    cardinality: Size = 32
    bottleneck_width: Size = 4
    stage_widths: tuple[Size, ...] = ()
    stem_width: Size = 64
    block: BlockChoice = "bottleneck"
    form: Form = "c"
    shortcut: ShortcutChoice = "B"
    preactivation: StrictBool = False
    ndim: Annotated[Whole, Field(ge=1, le=3)] = 2
    in_channels: Size = 3
    num_classes: Annotated[Whole, Field(ge=0, le=MAX_SIZE)] = 1000
    zero_init_residual: StrictBool = False
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    output_stride: Size | None = None
    pool_time: StrictBool = False
    embedding: EmbeddingConfig | None = None

    @model_validator(mode="before")
    @classmethod
    def _forget_natural_stride(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Normalise the config: store the default output stride as None."""
        if not isinstance(values, dict) or values.get("output_stride") is None:
            return values
        stages = values.get("blocks_per_stage", cls.model_fields["blocks_per_stage"].default)
        try:
            strides = output_strides(read_stem(values.get("stem", "imagenet")), len(stages))
        except (TypeError, ValueError):
            return values  # refused with the field's own message
        given = values["output_stride"]
        is_natural = strides and given == strides[-1] and not isinstance(given, bool | float)
        return {**values, "output_stride": None} if is_natural else values

    @model_validator(mode="before")
    @classmethod
    def _fill_stage_widths(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Fill in the template's widths, so that a stored config contains them."""
        if not isinstance(values, dict) or values.get("stage_widths"):
            return values
        stages = values.get("blocks_per_stage", cls.model_fields["blocks_per_stage"].default)
        if not isinstance(stages, (list, tuple)) or len(stages) > MAX_STAGES:
            return values  # refused with the field's own message
        try:
            block = read_block(values.get("block", "bottleneck"))
        except ValueError:
            return values  # refused with the field's own message
        widths = template_stage_widths(block, len(stages))
        return {**values, "block": block, "stage_widths": widths}

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.stage_widths) != len(self.blocks_per_stage):
            raise ConfigError(
                f"stage_widths={self.stage_widths!r} has {len(self.stage_widths)} entries but "
                f"blocks_per_stage={self.blocks_per_stage!r} has {len(self.blocks_per_stage)}; "
                "give one width per stage"
            )
        if self.block == "basic":
            self._check_basic()
        if self.shortcut == "A":
            self._check_zero_padding()
        if isinstance(self.block, Part) and self.form != "c":
            raise ConfigError(
                f"form={self.form!r}: only the built-in bottleneck has forms; "
                f"{self.block.name!r} has one, so use form='c'"
            )
        if self.output_stride is not None:
            self._check_output_stride(self.output_stride)
        if self.embedding is not None:
            self._check_embedding()
        if self.pool_time and self.ndim != 2:
            raise ConfigError(
                f"pool_time=true: a network of two dimensions sees frame by frame, this one has "
                f"ndim={self.ndim}; set ndim=2 or leave pool_time out"
            )
        for part in self.parts:
            part.check(self)
        return self

    @model_serializer(mode="wrap")
    def _leave_out_unset(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Store networks without these settings as in earlier versions, which can read them."""
        values: dict[str, Any] = write(self)
        for name in ("output_stride", "embedding", "dropout", "pool_time"):
            if not getattr(self, name):
                values.pop(name, None)
        return values

    def _check_embedding(self) -> None:
        if (self.ndim, self.in_channels) != (1, 1):
            raise ConfigError(
                f"embedding: its input is one channel of token numbers in one dimension, not "
                f"in_channels={self.in_channels} with ndim={self.ndim}; set both to 1"
            )
        if isinstance(self.stem, StemPart):
            raise ConfigError(
                f"embedding: the stem {self.stem.name!r} does not take one; use stem='cifar' or "
                "'imagenet'"
            )

    def _check_output_stride(self, given: int) -> None:
        strides = output_strides(self.stem, len(self.blocks_per_stage))
        if strides and given not in strides:
            raise ConfigError(
                f"output_stride={given}: the output stride of this network can be "
                f"{either(strides)}; {strides[-1]} is without dilation"
            )

    def _check_basic(self) -> None:
        if self.cardinality > 1:
            raise ConfigError(f"cardinality={self.cardinality}: {TWO_LAYER_REASON}")
        if self.form != "c":
            raise ConfigError(
                f"form={self.form!r}: a basic block has one path and one form; use form='c'"
            )

    def _check_zero_padding(self) -> None:
        widths = (self.stem_width, *self.stage_widths)
        if list(widths) != sorted(widths):
            raise ConfigError(
                "shortcut='A' pads channels with zeros and cannot remove any, but the widths "
                f"of stem and stages shrink: {widths!r}; use shortcut='B'"
            )

    def _given(self) -> dict[str, Any]:
        values = super()._given()
        if self.stage_widths == template_stage_widths(self.block, len(self.blocks_per_stage)):
            del values["stage_widths"]  # they follow the block and the stage list
        return values

    @property
    def input_ndim(self) -> int:
        """Dimensions of the input besides the channels: those of the network, and time."""
        return self.ndim + self.pool_time

    @property
    def depth(self) -> int:
        """Depth by the usual convention: convolutions on the main path, plus the classifier."""
        return num_layers(self.block) * sum(self.blocks_per_stage) + 2

    @property
    def parts(self) -> list[Part]:
        """Its registered parts: block, stem, shortcut."""
        chosen = (self.block, self.stem, self.shortcut)
        return [part for part in chosen if isinstance(part, Part)]

    @property
    def template(self) -> str:
        """The usual short form of cardinality and width, such as `32x4d`."""
        return f"{self.cardinality}x{self.bottleneck_width}d"


def describe_parts(config: ResNeXtConfig) -> str:
    """Describe the registered parts of a network, such as `it has the block 'se' of se.py`."""
    parts = [f"the {part.kind} {part.name!r} of {part.plugin()}" for part in config.parts]
    return f"it has {' and '.join(parts)}" if parts else ""
