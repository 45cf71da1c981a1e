"""Names of common CIFAR networks that differ from torchvision's.

prlz77's ResNeXts, which bearpaw copied, and D-X-Y's ResNets and ResNeXts share the names of stem,
stages and layers; D-X-Y's ResNets pad type A shortcuts after the channels. hysts counts blocks
from 1. weiaicunzai numbers the layers of a branch; the first 1x1 of these ResNeXts is grouped.

Source: prlz77/ResNeXt.pytorch, models/model.py; bearpaw/pytorch-classification,
models/cifar/resnext.py; D-X-Y/ResNeXt-DenseNet, models/resnet.py and resnext.py;
hysts/pytorch_resnext, resnext.py; weiaicunzai/pytorch-cifar100, models/resnet.py and resnext.py.
"""

from __future__ import annotations

from resnext.weights.families.family import KeyFamily, Row, in_blocks
from resnext.weights.families.torchvision import PROJECTIONS

_STAGE_LAYERS: tuple[Row, ...] = (
    ("conv1", "conv_reduce"),
    ("bn1", "bn_reduce"),
    ("conv2", "conv_conv"),
    ("bn2", "bn"),
    ("conv3", "conv_expand"),
    ("bn3", "bn_expand"),
    ("conv1", "conv_a"),
    ("bn1", "bn_a"),
    ("conv2", "conv_b"),
    ("bn2", "bn_b"),
    *PROJECTIONS,
)
STAGES = KeyFamily(
    "prlz77",
    (
        ("conv1", "conv_1_3x3"),
        ("bn1", "bn_1"),
        *in_blocks("stage_{s}.stage_{n}_bottleneck_{b}.", _STAGE_LAYERS),
        *in_blocks("stage_{s}.{b}.", _STAGE_LAYERS),
    ),
    padding="end",
)

_LAYERS = tuple((f"{kind}{n}", f"{kind}{n}") for n in (1, 2, 3) for kind in ("conv", "bn"))
HYSTS = KeyFamily(
    "hysts",
    (
        ("conv1", "conv"),
        ("bn1", "bn"),
        *in_blocks("stage{s}.block{b}.", (*_LAYERS, *PROJECTIONS)),
    ),
    first_block=1,
)


def _branch(name: str) -> tuple[Row, ...]:
    """Return the rows for a sequence of convolution, BN, ReLU, convolution, ..."""
    convs = tuple((f"conv{number + 1}", f"{name}.{3 * number}") for number in range(3))
    norms = tuple((f"bn{number + 1}", f"{name}.{3 * number + 1}") for number in range(3))
    return (*convs, *norms, *PROJECTIONS)


WEIAICUNZAI = KeyFamily(
    "weiaicunzai",
    (
        ("conv1", "conv1.0"),
        ("bn1", "conv1.1"),
        *in_blocks("conv{s}_x.{b}.", _branch("residual_function")),
        *in_blocks("conv{s}.{b}.", _branch("split_transforms")),
    ),
    first_stage=2,
)
