"""Checks the content of an OpenVINO .xml file before OpenVINO opens it.

The graph is XML; its weights are offsets in the .bin file.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from resnext.errors import CheckpointError
from resnext.model.config import DetectorConfig, ModelConfig
from resnext.untrusted.names import shown

MAX_XML_BYTES = 64 * 2**20
"""resnext101_64x4d needs 0.3 MiB; form (a) with 32 paths 10."""

LAYERS = frozenset({
    "Add", "AvgPool", "BatchNormInference", "Clamp", "Concat", "Const", "Convert", "Convolution",
    "Divide", "FakeQuantize", "Gather", "GatherND", "Greater", "GroupConvolution", "Interpolate",
    "IsNaN", "MatMul", "MaxPool", "Minimum", "Mod", "Multiply", "Pad", "Parameter", "ReLU",
    "ReduceMean", "Reshape", "Result", "Round", "Select", "ShapeOf", "Slice", "Squeeze",
    "StridedSlice", "Subtract", "Transpose", "Unsqueeze",
})  # fmt: skip

PART_LAYERS = frozenset({
    "Abs", "Elu", "Erf", "Exp", "Gelu", "HSigmoid", "HSwish", "MVN", "Maximum", "Negative",
    "PReLU", "Power", "ReduceMax", "ReduceSum", "Sigmoid", "SoftMax", "SoftPlus", "Split", "Sqrt",
    "Swish", "Tanh",
})  # fmt: skip
"""Layers of registered blocks and decoders; none enlarges its input."""

DETECTOR_LAYERS = frozenset({
    "Broadcast", "ConvolutionBackpropData", "Equal", "FloorMod", "GatherElements", "GreaterEqual",
    "Less", "LessEqual", "LogicalAnd", "NonMaxSuppression", "NonZero", "Range", "ROIAlign",
    "ScatterElementsUpdate", "ScatterNDUpdate", "Tile", "TopK",
})  # fmt: skip
"""Layers of detectors beside these, accepted in files of detectors only."""

MAX_NUMBER = 64
"""Limit of kernel sides, strides, paddings and axes; the largest in a ResNeXt is 7."""

_POSITIVE = frozenset({"kernel", "strides", "dilations"})
_WITH_SHAPES = frozenset({"Const", "Parameter"})

_BITS = {
    "boolean": 8, "u8": 8, "i8": 8, "u4": 4, "i4": 4, "u1": 1, "f16": 16, "bf16": 16,
    "i16": 16, "u16": 16, "f32": 32, "i32": 32, "u32": 32, "f64": 64, "i64": 64, "u64": 64,
}  # fmt: skip


def check_graph(
    path: Path, content: bytes, num_weight_bytes: int, config: ModelConfig | None = None
) -> None:
    """Check a graph.

    Args:
        path: The .xml file, for the message.
        content: Its bytes.
        num_weight_bytes: Size of the .bin file.
        config: The network that it says it holds.

    Raises:
        CheckpointError: It contains something that `resnext export` does not write.
    """
    accepted, num_inputs = LAYERS | PART_LAYERS, 1
    if isinstance(config, DetectorConfig):
        accepted, num_inputs = accepted | DETECTOR_LAYERS, 2  # see `openvino_sides`
    odd = next(_find_odd(content, num_weight_bytes, accepted, num_inputs), None)
    if odd is not None:
        raise CheckpointError(
            f"{path}: refused: {odd}, which `resnext export` does not write; export the network "
            "again from its run or weight file"
        )


def check_text(content: bytes) -> None:
    """Check a graph's text before anything parses it.

    Raises:
        ValueError: It has definitions, which can expand without bound, or an encoding that could
            hide them.
    """
    if b"<!" in content or b"\0" in content or not content.startswith((b"<?xml", b"<net")):
        raise ValueError("it is not OpenVINO XML, or defines its own names")


def _find_odd(
    content: bytes, num_weight_bytes: int, accepted: frozenset[str], num_inputs: int
) -> Iterator[str]:
    """Yield descriptions of unexpected content in a graph."""
    root = ElementTree.fromstring(content)
    layers = root.findall("./layers/layer")
    num_inside = sum(1 for _ in root.iter("layer")) - len(layers)
    inputs = [layer for layer in layers if layer.get("type") == "Parameter"]
    results = [layer for layer in layers if layer.get("type") == "Result"]
    if root.tag != "net" or num_inside or len(inputs) != num_inputs or len(results) != 1:
        yield f"it has {len(inputs)} inputs, {len(results)} outputs and {num_inside} layers inside"
    for layer in layers:
        kind, version = layer.get("type", ""), layer.get("version", "")
        if kind not in accepted or not version.startswith("opset"):
            yield f"it has a layer {shown(kind)} of {shown(version)}"
        data = layer.find("data")
        yield from _find_odd_numbers({} if data is None else data.attrib, kind)
        if kind == "Const":
            yield from _find_odd_const({} if data is None else data.attrib, num_weight_bytes)


def _find_odd_numbers(attributes: dict[str, str], kind: str) -> Iterator[str]:
    if kind in _WITH_SHAPES:
        return
    for name, text in attributes.items():
        for number in (part.strip() for part in text.split(",")):
            digits = number.removeprefix("-")
            if not digits.isdecimal():
                continue
            if len(digits) > 3 or int(digits) > MAX_NUMBER or (name in _POSITIVE and number < "1"):
                yield f"it has a {shown(name)} of {shown(number)}"


def _find_odd_const(attributes: dict[str, str], num_weight_bytes: int) -> Iterator[str]:
    """Check a weight's shape against its position in the .bin file."""
    shape = [part.strip() for part in attributes.get("shape", "").split(",") if part.strip()]
    numbers = [*shape, attributes.get("offset", ""), attributes.get("size", "")]
    bits = _BITS.get(attributes.get("element_type", ""), 0)
    if not bits or not all(number.isdecimal() and len(number) < 20 for number in numbers):
        yield "it has a weight without type, shape or position"
        return
    *sides, offset, size = map(int, numbers)
    if offset + size > num_weight_bytes or size != -(-math.prod(sides) * bits // 8):
        yield (
            f"it has a weight of {size:,} bytes at {offset:,}, but the file has "
            f"{num_weight_bytes:,}"
        )
