"""Checks the content of an .onnx file before ONNX Runtime opens it.

The runtime is C++ and trusts graphs too much for files from outside: it follows paths to weights in
other files, allocates whatever shapes and attributes request, and descends into nested graphs. Here
each part is compared with what `resnext export` writes.
"""

from __future__ import annotations

import math
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

import onnx

from resnext.errors import CheckpointError
from resnext.model.config import DetectorConfig, ModelConfig
from resnext.untrusted.names import shown

OPERATORS = frozenset({
    "Add", "AveragePool", "BatchNormalization", "Cast", "Clip", "Concat", "Constant", "Conv",
    "DequantizeLinear", "Div", "Flatten", "Gather", "GatherND", "Gemm", "GlobalAveragePool",
    "Greater", "Identity", "IsNaN", "MatMul", "MaxPool", "Min", "Mod", "Mul", "Pad",
    "QuantizeLinear", "ReduceMean", "Relu", "Reshape", "Resize", "Round", "Shape", "Slice",
    "Squeeze", "Sub", "Transpose", "Unsqueeze", "Where",
})  # fmt: skip
"""Operators of our networks, in fp32 and int8, with every input kind."""

PART_OPERATORS = frozenset({
    "Abs", "Elu", "Erf", "Exp", "Gelu", "GlobalMaxPool", "HardSigmoid", "HardSwish",
    "InstanceNormalization", "LayerNormalization", "LeakyRelu", "Max", "Neg", "PRelu", "Pow",
    "Reciprocal", "ReduceMax", "ReduceSum", "Sigmoid", "Softmax", "Softplus", "Sqrt", "Tanh",
})  # fmt: skip
"""Operators of registered blocks and decoders: they work elementwise or along an axis, and none
enlarges its input."""

DETECTOR_OPERATORS = frozenset({
    "And", "ConvTranspose", "Equal", "Expand", "Floor", "GatherElements", "GreaterOrEqual", "Less",
    "LessOrEqual", "NonMaxSuppression", "NonZero", "Range", "ReduceMin", "RoiAlign", "ScatterND",
    "Tile", "TopK",
})  # fmt: skip
"""Operators of detectors beside these, accepted in files of detectors only."""

MAX_NODES = 100_000
MAX_ATTRIBUTE = 64
"""Limit of kernel sides, strides, paddings and axes; the largest in a ResNeXt is 7."""

MAX_NUMBER = 2**20
"""Limit of groups, and of constants that are sides or numbers of channels."""

_POSITIVE = frozenset({"group", "kernel_shape", "strides", "dilations"})
_UNTIL_THE_END = 2**31 - 1  # of a slice: this or more
_MAX_SIDES = 64

_DOMAINS = frozenset({"", "ai.onnx"})
_TENSOR_ATTRIBUTES = (onnx.AttributeProto.TENSOR,)
_PLAIN_ATTRIBUTES = (
    onnx.AttributeProto.FLOAT,
    onnx.AttributeProto.FLOATS,
    onnx.AttributeProto.INT,
    onnx.AttributeProto.INTS,
    onnx.AttributeProto.STRING,
    onnx.AttributeProto.STRINGS,
)


def check_model(
    path: Path, model: onnx.ModelProto, config: ModelConfig | None = None
) -> tuple[Path, ...]:
    """Check a parsed file, without weights in other files.

    Args:
        path: The file.
        model: Its content.
        config: The network that it says it holds.

    Returns:
        The separate weight files: none, or NAME.data.

    Raises:
        CheckpointError: It contains something that `resnext export` does not write.
    """
    accepted = OPERATORS | PART_OPERATORS
    if isinstance(config, DetectorConfig):
        accepted |= DETECTOR_OPERATORS
    odd = next(_find_odd(path, model, accepted), None)
    if odd is not None:
        raise CheckpointError(
            f"{path}: refused: {odd}, which `resnext export` does not write; export the network "
            "again from its run or weight file"
        )
    data = path.with_name(f"{path.name}.data")
    is_external = any(_is_external(tensor) for tensor in _tensors(model.graph))
    return (data,) if is_external else ()


def _find_odd(path: Path, model: onnx.ModelProto, accepted: frozenset[str]) -> Iterator[str]:
    """Yield descriptions of unexpected content in a file."""
    graph = model.graph
    if model.functions or graph.sparse_initializer or model.training_info:
        yield "it has functions, sparse weights or training information"
    if len(graph.node) > MAX_NODES or len(graph.input) != 1 or len(graph.output) != 1:
        yield (
            f"it has {len(graph.node):,} nodes, {len(graph.input)} inputs and "
            f"{len(graph.output)} outputs"
        )
    for node in graph.node:
        if node.domain not in _DOMAINS or node.op_type not in accepted:
            yield f"it has an operator {shown(node.op_type)} of {shown(node.domain or 'ai.onnx')}"
        for attribute in node.attribute:
            yield from _find_odd_attribute(attribute)
    for tensor in _tensors(graph):
        yield from _find_odd_tensor(path, tensor)


def _find_odd_attribute(attribute: onnx.AttributeProto) -> Iterator[str]:
    if attribute.type not in (*_PLAIN_ATTRIBUTES, *_TENSOR_ATTRIBUTES):
        yield f"it has an attribute {shown(attribute.name)} that is a graph or a list of tensors"
    largest = MAX_NUMBER if attribute.name == "group" else MAX_ATTRIBUTE
    smallest = 1 if attribute.name in _POSITIVE else -largest
    numbers = [attribute.i] if attribute.type == onnx.AttributeProto.INT else attribute.ints
    for number in numbers:
        if not smallest <= number <= largest:
            yield f"it has an attribute {shown(attribute.name)} of {number:,}"


def _tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    yield from graph.initializer
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type in _TENSOR_ATTRIBUTES:
                yield attribute.t


def _find_odd_tensor(path: Path, tensor: onnx.TensorProto) -> Iterator[str]:
    """Check a tensor's shape against its bytes."""
    name = shown(tensor.name)
    try:
        item_bytes = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
    except (KeyError, TypeError, ValueError):
        yield f"its weight {name} has an unknown type"
        return
    if min(tensor.dims, default=1) < 0:
        yield f"its weight {name} has a negative side"
    wanted = math.prod(tensor.dims) * item_bytes
    if _is_external(tensor):
        yield from _find_odd_place(path, tensor, wanted)
    elif tensor.raw_data and len(tensor.raw_data) != wanted:
        yield f"its weight {name} of {wanted:,} bytes has {len(tensor.raw_data):,}"
    elif not tensor.raw_data and sum(map(len, _numbers(tensor))) != math.prod(tensor.dims):
        yield f"its weight {name} of {wanted:,} bytes has a different number of values"
    elif tensor.data_type == onnx.TensorProto.INT64 and wanted <= 8 * _MAX_SIDES:
        for number in onnx.numpy_helper.to_array(tensor).flat:
            if MAX_NUMBER < abs(int(number)) < _UNTIL_THE_END:
                yield f"it has a constant {name} of {int(number):,}"


def _numbers(tensor: onnx.TensorProto) -> tuple[Sequence[float], ...]:
    """Return the fields that can store a tensor's values individually."""
    return tensor.float_data, tensor.int32_data, tensor.int64_data, tensor.double_data


def _find_odd_place(path: Path, tensor: onnx.TensorProto, wanted: int) -> Iterator[str]:
    """Check that an external weight is in NAME.data next to the file, and nowhere else."""
    external = {entry.key: entry.value for entry in tensor.external_data}
    data = path.with_name(f"{path.name}.data")
    if external.get("location") != data.name:
        yield f"its weight {shown(tensor.name)} is in {shown(external.get('location', ''))}"
        return
    numbers = [external.get("offset", "0"), external.get("length", str(wanted))]
    if not all(number.isdecimal() and len(number) < 20 for number in numbers):
        yield f"its weight {shown(tensor.name)} has no position in {shown(data.name)}"
        return
    offset, length = map(int, numbers)
    try:
        found = data.lstat()
    except OSError:
        yield f"its weights should be in {shown(data.name)} next to it, which does not exist"
        return
    if not stat.S_ISREG(found.st_mode) or length != wanted or offset + length > found.st_size:
        yield f"its weight {shown(tensor.name)} exceeds {shown(data.name)}"


def _is_external(tensor: onnx.TensorProto) -> bool:
    return bool(tensor.data_location == onnx.TensorProto.EXTERNAL)
