"""Accepted values of a network's settings: built-in names and registered parts."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal, get_args

from pydantic import Field, PlainSerializer, PlainValidator

from resnext.model.parts import BlockPart, Part, ShortcutPart, StemPart
from resnext.model.registry import read_part
from resnext.settings import Whole

MAX_SIZE = 2**20
"""Maximum of every number in a config: far beyond any network, and products fit in 64 bits."""


Size = Annotated[Whole, Field(gt=0, le=MAX_SIZE)]
Stem = Literal["imagenet", "cifar"]
Block = Literal["bottleneck", "basic"]
Form = Literal["a", "b", "c"]
Shortcut = Literal["A", "B", "C", "none"]
# Beside the names above, a part of your own; see `resnext.model.parts`.
_STORED = PlainSerializer(lambda part: part.as_dict() if isinstance(part, Part) else part)
read_block = partial(read_part, BlockPart, get_args(Block))  # type: ignore[type-abstract]  # the base
read_stem = partial(read_part, StemPart, get_args(Stem))  # type: ignore[type-abstract]  # the base
BlockChoice = Annotated[Block | BlockPart, PlainValidator(read_block), _STORED]
StemChoice = Annotated[Stem | StemPart, PlainValidator(read_stem), _STORED]
ShortcutChoice = Annotated[
    Shortcut | ShortcutPart,
    PlainValidator(partial(read_part, ShortcutPart, get_args(Shortcut))),
    _STORED,
]
Baseline = Literal["vgg16_bn", "vgg19_bn", "inception_v3"]
Head = Literal["fcn", "deeplabv3", "unet", "fpn"]
HEADS: tuple[Head, ...] = get_args(Head)
DECODERS: tuple[Head, ...] = ("unet", "fpn")
"""Heads that read several maps."""

PYRAMID_STAGES = 4
"""Of the backbone of an `fpn`."""

TWO_LAYER_REASON = (
    "a two-layer (basic) block with cardinality > 1 is only a wider dense block: its paths "
    "merge into one ordinary convolution, so splitting is non-trivial from depth 3 on "
    "(ResNeXt paper, section 3.3); use block='bottleneck' or cardinality=1"
)
