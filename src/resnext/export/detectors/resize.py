"""The start of a detector's graph: pixels of any size, resized and padded as torchvision does.

The sizes depend on the image, which torch's exporter cannot follow; these operators are written
directly. torchvision computes them in float64, and so do they: in float32, some images would get
a size that is one pixel off. Normalising after the resize computes the same, with less memory.
"""

from __future__ import annotations

from typing import Any

import onnx
import onnx.compose
import onnx.parser
from torch import nn

_PREFIX = "resize_"
SIDES = f"{_PREFIX}resized_sides"
"""Name of height and width of the resized image in the graph."""

_PARTS = ("images", "limits", "ratios")

_GRAPH = """
<ir_version: {ir_version}, opset_import: ["" : {opset}]>
resize (uint8[batch, height, width, {channels}] pixels)
  => (float[batch, {channels}, rows, columns] images, float[4] limits, float[4] ratios)
<
  float whole = {{255.0}},
  float[1,{channels},1,1] mean = {{{mean}}},
  float[1,{channels},1,1] std = {{{std}}},
  double short_side = {{{min_size}.0}},
  double long_side = {{{max_size}.0}},
  int64[1] block = {{{block}}},
  int64[2] spatial = {{2, 3}},
  int64[4] order = {{1, 0, 1, 0}}
>
{{
  levels = Cast <to: int = 1> (pixels)
  image = Transpose <perm = [0, 3, 1, 2]> (levels)
  sides = Shape <start: int = 2, end: int = 4> (image)
  exact = Cast <to: int = 11> (sides)
  short = ReduceMin <keepdims: int = 0> (exact)
  long = ReduceMax <keepdims: int = 0> (exact)
  short_scale = Div (short_side, short)
  long_scale = Div (long_side, long)
  scale = Min (short_scale, long_scale)
  scaled = Mul (exact, scale)
  floor = Floor (scaled)
  resized_sides = Cast <to: int = 7> (floor)
  resized = Resize <mode = "linear", axes = [2, 3]> (image, , , resized_sides)
  shares = Div (resized, whole)
  centred = Sub (shares, mean)
  normal = Div (centred, std)
  negative = Neg (resized_sides)
  after = Mod (negative, block)
  before = Sub (resized_sides, resized_sides)
  pads = Concat <axis = 0> (before, after)
  images = Pad (normal, pads, , spatial)
  wanted = Cast <to: int = 1> (resized_sides)
  given = Cast <to: int = 1> (sides)
  limits = Gather (wanted, order)
  factors = Div (given, wanted)
  ratios = Gather (factors, order)
}}
"""


def put_before(model: onnx.ModelProto, network: nn.Module) -> onnx.ModelProto:
    """Put normalisation, resizing and padding before the graph of a detector.

    Args:
        model: The graph, of normalised, resized and padded images.
        network: torchvision's network, which says how.

    Returns:
        A graph of pixels: uint8 b x h x w x c, of any size.
    """
    transform: Any = network.transform
    mean, std = (
        ", ".join(map(repr, map(float, one))) for one in (transform.image_mean, transform.image_std)
    )
    text = _GRAPH.format(
        ir_version=model.ir_version,
        opset=model.opset_import[0].version,
        channels=len(transform.image_mean),
        mean=mean,
        std=std,
        min_size=transform.min_size[-1],
        max_size=transform.max_size,
        block=transform.size_divisible,
    )
    start = onnx.parser.parse_model(text)
    onnx.compose.add_prefix(start, _PREFIX, inplace=True)
    start.graph.node[0].input[0] = start.graph.input[0].name = "pixels"
    ties = [(f"{_PREFIX}{part}", part) for part in _PARTS]
    return onnx.compose.merge_models(start, model, io_map=ties)
