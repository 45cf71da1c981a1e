"""The decoders of segmentation_models_pytorch, as the operations that they run."""

from __future__ import annotations

from resnext.complexity.flow import Flow, Map
from resnext.complexity.shape import Sides
from resnext.model.config import SegmenterConfig
from resnext.model.template import unet_channels

_PYRAMID_CHANNELS = 256
_SUM_CHANNELS = 128
_NUM_GROUPS = 32
_HEAD = "classifier.head.0"


def run_decoder(flow: Flow, config: SegmenterConfig, maps: list[Map], sides: Sides) -> Map:
    """Run a decoder and its head.

    Args:
        flow: The flow.
        config: The network.
        maps: Those of the stem and the stages.
        sides: Of the scores.
    """
    if config.family == "unet":
        return _unet(flow, maps, config.num_classes, sides)
    return _fpn(flow, maps[1:], config.num_classes, sides)


def conv_norm(flow: Flow, conv: str, norm: str, x: Map, channels: int, kernel: int) -> Map:
    """Run a convolution, BN and ReLU."""
    return flow.relu(flow.norm(norm, flow.conv(conv, x, channels, kernel)))


def _unet(flow: Flow, maps: list[Map], num_classes: int, sides: Sides) -> Map:
    """Enlarge the last map to the size of the one before, join both, and so on up to the image."""
    *skips, x = maps
    for number, channels in enumerate(unet_channels(len(maps))):
        skip = skips.pop() if skips else None
        x = flow.resize(x, skip.shape.sides if skip else sides)
        x = flow.concatenate(x, skip) if skip else x
        for layer in ("conv1", "conv2"):
            name = f"classifier.decoder.blocks.{number}.{layer}"
            x = conv_norm(flow, f"{name}.0", f"{name}.1", x, channels, 3)
    return flow.conv(_HEAD, x, num_classes, 3, bias=True)


def _fpn(flow: Flow, maps: list[Map], num_classes: int, sides: Sides) -> Map:
    """Build a pyramid from the last map down, bring its maps to the size of the first, add them."""
    *skips, last = maps
    levels = [flow.conv("classifier.decoder.p5", last, _PYRAMID_CHANNELS, 1, bias=True)]
    for number, skip in zip((4, 3, 2), reversed(skips), strict=True):
        above = flow.resize(levels[-1], skip.shape.sides)
        name = f"classifier.decoder.p{number}.skip_conv"
        levels.append(flow.add_anew(above, flow.conv(name, skip, _PYRAMID_CHANNELS, 1, bias=True)))
    x = flow.sum_stacked(*(_enlarge(flow, n, level) for n, level in enumerate(levels)))
    x = flow.conv(_HEAD, flow.dropout_channels(x), num_classes, 1, bias=True)
    return x if x.shape.sides == sides else flow.resize(x, sides)


def _enlarge(flow: Flow, number: int, x: Map) -> Map:
    """Double a level of the pyramid until it is as large as the first map."""
    num_doublings = 3 - number
    for step in range(max(num_doublings, 1)):
        name = f"classifier.decoder.seg_blocks.{number}.block.{step}.block"
        x = flow.conv(f"{name}.0", x, _SUM_CHANNELS, 3)
        x = flow.relu(flow.group_norm(f"{name}.1", x, _NUM_GROUPS))
        if num_doublings:
            x = flow.resize(x, tuple(2 * side for side in x.shape.sides))
    return x
