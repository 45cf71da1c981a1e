"""The second stage of a detector: heads that run on many regions of an image.

The maps of all regions stand behind each other along a first side, as in torchvision.
"""

from __future__ import annotations

from resnext.complexity.cost import LayerCost
from resnext.complexity.flow import Flow, Map
from resnext.complexity.residual import run_block
from resnext.complexity.shape import Shape
from resnext.model.detector_config import REGION_SIDE, DetectorConfig
from resnext.model.plan import plan_network

_CHANNELS = 256
_FEATURES = 1024
_BOX_SIDE = 7
_MASK_SIDE = 14
_NUM_LAYERS = 4
_WIDTH = 3


def run_box_head(flow: Flow, config: DetectorConfig, level: Map, num_regions: int) -> Map:
    """Find class and place of each region.

    Args:
        flow: The flow.
        config: The network.
        level: The largest map of the pyramid.
        num_regions: Regions of one image.

    Returns:
        The scores.
    """
    x = flow.resize(level, (num_regions, _BOX_SIDE, _BOX_SIDE))
    name = "roi_heads.box_head"
    if config.version == 1:
        num_inputs = x.shape.channels * _BOX_SIDE**2
        x = flow.relu(_linear(flow, f"{name}.fc6", x, num_inputs, _FEATURES))
        x = flow.relu(_linear(flow, f"{name}.fc7", x, _FEATURES, _FEATURES))
    else:
        for number in range(_NUM_LAYERS):
            x = flow.relu(_conv(flow, f"{name}.{number}", x, has_norm=True))
        num_inputs = _CHANNELS * _BOX_SIDE**2
        x = flow.relu(_linear(flow, f"{name}.{_NUM_LAYERS + 1}", x, num_inputs, _FEATURES))
    name, num_outputs = "roi_heads.box_predictor", config.num_classes + 1
    scores = _linear(flow, f"{name}.cls_score", x, _FEATURES, num_outputs)
    _linear(flow, f"{name}.bbox_pred", x, _FEATURES, 4 * num_outputs)
    return scores


def run_last_stage(flow: Flow, config: DetectorConfig, level: Map, num_regions: int) -> Map:
    """Run the last stage of the backbone on each region, without a pyramid; see `run_box_head`."""
    blocks = plan_network(config.backbone).stages[-1]
    # The regions lie one below the other: their sides are even, so that strides keep them apart.
    x = flow.resize(level, (num_regions * REGION_SIDE, REGION_SIDE))
    for block in blocks:
        name = f"roi_heads.box_head.layer4.{block.index}"
        x = run_block(flow, name, x, block, config.backbone)
    x = flow.resize(x, (num_regions,))
    name, num_inputs = "roi_heads.box_predictor", x.shape.channels
    scores = _linear(flow, f"{name}.cls_score", x, num_inputs, config.num_classes + 1)
    _linear(flow, f"{name}.bbox_pred", x, num_inputs, 4 * (config.num_classes + 1))
    return scores


def run_mask_head(flow: Flow, config: DetectorConfig, level: Map, num_objects: int) -> Map:
    """Draw the mask of each object for every class; see `run_box_head`."""
    x = flow.resize(level, (num_objects, _MASK_SIDE, _MASK_SIDE))
    for number in range(_NUM_LAYERS):
        name = f"roi_heads.mask_head.{number}"
        x = flow.relu(_conv(flow, name, x, has_norm=config.version == 2))
    name, side = "roi_heads.mask_predictor", 2 * _MASK_SIDE
    larger = Shape(_CHANNELS, (num_objects, side, side))
    # The transposed convolution steps by its kernel: every number comes from one position.
    x = flow.relu(_weighted(flow, f"{name}.conv5_mask", "conv", x, larger, _CHANNELS, per_weight=4))
    masks = Shape(config.num_classes + 1, larger.sides)
    return _weighted(flow, f"{name}.mask_fcn_logits", "conv", x, masks, _CHANNELS)


def _conv(flow: Flow, name: str, x: Map, *, has_norm: bool) -> Map:
    """Run a 3x3 convolution, which has a bias where no BN follows."""
    fan_in, output = x.shape.channels * _WIDTH**2, Shape(_CHANNELS, x.shape.sides)
    y = _weighted(flow, f"{name}.0", "conv", x, output, fan_in, bias=not has_norm)
    if not has_norm:
        return y
    return flow.layer(LayerCost(f"{name}.1", "norm", y.shape, 1, 2 * _CHANNELS, 0, 0), y)


def _linear(flow: Flow, name: str, x: Map, num_inputs: int, num_outputs: int) -> Map:
    output = Shape(num_outputs, x.shape.sides[:1])
    return _weighted(flow, name, "linear", x, output, num_inputs)


def _weighted(
    flow: Flow,
    name: str,
    kind: str,
    x: Map,
    output: Shape,
    fan_in: int,
    *,
    bias: bool = True,
    per_weight: int = 1,
) -> Map:
    """Note a layer whose every output is a sum of `fan_in` products and, maybe, a bias.

    Args:
        flow: The flow.
        name: Of the layer.
        kind: Of the layer.
        x: The input.
        output: Shape of the output.
        fan_in: Products of one number.
        bias: Each channel has one.
        per_weight: Weights of a channel for each product, 4 where four positions have their own.
    """
    numbers = output.num_elements
    parameters = output.channels * (fan_in * per_weight + bias)
    macs = numbers * (fan_in + bias)
    return flow.layer(LayerCost(name, kind, output, 1, parameters, macs, numbers), x)
