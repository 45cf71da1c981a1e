"""Names in Hugging Face Transformers' ResNets: an embedder, and stages of nested layers.

Source: transformers/models/resnet/modeling_resnet.py.
"""

from __future__ import annotations

from resnext.weights.families.family import KeyFamily, Row, in_blocks

_LAYERS: tuple[Row, ...] = tuple(
    row
    for number in (1, 2, 3)
    for row in (
        (f"conv{number}", f"layer.{number - 1}.convolution"),
        (f"bn{number}", f"layer.{number - 1}.normalization"),
    )
)
_SHORTCUT: tuple[Row, ...] = (
    ("downsample.0", "shortcut.convolution"),
    ("downsample.1", "shortcut.normalization"),
)

TRANSFORMERS = KeyFamily(
    "transformers",
    (
        ("conv1", "embedder.embedder.convolution"),
        ("bn1", "embedder.embedder.normalization"),
        *in_blocks("encoder.stages.{s}.layers.{b}.", (*_LAYERS, *_SHORTCUT)),
    ),
    first_stage=0,
)
