"""What an .onnx file may hold, checked before ONNX Runtime opens it.

The runtime is C++ that trusts a graph more than a file from outside deserves: it follows paths to
weights in other files, allocates what shapes and attributes ask for, and descends into graphs
inside graphs. Here each part is compared with what `resnext export` writes.
"""

from __future__ import annotations

import math
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

import onnx

from resnext.errors import CheckpointError
from resnext.untrusted.names import shown

OPERATORS = frozenset({
    "Add", "AveragePool", "BatchNormalization", "Cast", "Clip", "Concat", "Constant", "Conv",
    "DequantizeLinear", "Div", "Flatten", "Gather", "GatherND", "Gemm", "GlobalAveragePool",
    "Identity", "MatMul", "MaxPool", "Min", "Mod", "Mul", "Pad", "QuantizeLinear", "ReduceMean",
    "Relu", "Reshape", "Resize", "Round", "Shape", "Slice", "Squeeze", "Sub", "Transpose",
    "Unsqueeze",
})  # fmt: skip
"""What networks of ours consist of, in fp32 and int8, with every input."""

PART_OPERATORS = frozenset({
    "Abs", "Elu", "Erf", "Exp", "Gelu", "GlobalMaxPool", "HardSigmoid", "HardSwish",
    "InstanceNormalization", "LayerNormalization", "LeakyRelu", "Max", "Neg", "PRelu", "Pow",
    "Reciprocal", "ReduceMax", "ReduceSum", "Sigmoid", "Softmax", "Softplus", "Sqrt", "Tanh",
})  # fmt: skip
"""What registered blocks and decoders add: they compute number by number, or along an axis, and
make no map larger than what they are given."""

MAX_NODES = 100_000
MAX_ATTRIBUTE = 64
"""Of a kernel's side, a stride, a padding, an axis: 7 is the largest in a ResNeXt."""

MAX_NUMBER = 2**20
"""Of a number of groups, and of a constant that is a side or a number of channels."""

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


def check_model(path: Path, model: onnx.ModelProto) -> tuple[Path, ...]:
    """Check a parsed file, whose weights in other files were not read.

    Args:
        path: The file.
        model: Its content.

    Returns:
        The files beside it that hold weights: none, or NAME.data.

    Raises:
        CheckpointError: It holds something that `resnext export` does not write.
    """
    odd = next(_find_odd(path, model), None)
    if odd is not None:
        raise CheckpointError(
            f"{path}: is not opened: {odd}, which `resnext export` does not write; export the "
            "network anew from its run or weight file"
        )
    data = path.with_name(f"{path.name}.data")
    is_external = any(_is_external(tensor) for tensor in _tensors(model.graph))
    return (data,) if is_external else ()


def _find_odd(path: Path, model: onnx.ModelProto) -> Iterator[str]:
    """Yield what is odd in a file, in words."""
    graph = model.graph
    if model.functions or graph.sparse_initializer or model.training_info:
        yield "it has functions, sparse weights or a training of its own"
    if len(graph.node) > MAX_NODES or len(graph.input) != 1 or len(graph.output) != 1:
        yield (
            f"it has {len(graph.node):,} nodes, {len(graph.input)} inputs and "
            f"{len(graph.output)} outputs"
        )
    for node in graph.node:
        if node.domain not in _DOMAINS or node.op_type not in OPERATORS | PART_OPERATORS:
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
    """Hold a tensor's shape against the bytes that are there for it."""
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
        yield f"its weight {name} of {wanted:,} bytes has another number of values"
    elif tensor.data_type == onnx.TensorProto.INT64 and wanted <= 8 * _MAX_SIDES:
        for number in onnx.numpy_helper.to_array(tensor).flat:
            if MAX_NUMBER < abs(int(number)) < _UNTIL_THE_END:
                yield f"it has a constant {name} of {int(number):,}"


def _numbers(tensor: onnx.TensorProto) -> tuple[Sequence[float], ...]:
    """Return the lists in which a tensor's values can stand one by one."""
    return tensor.float_data, tensor.int32_data, tensor.int64_data, tensor.double_data


def _find_odd_place(path: Path, tensor: onnx.TensorProto, wanted: int) -> Iterator[str]:
    """Check where a weight lies that is outside the file: NAME.data beside it, and nowhere else."""
    external = {entry.key: entry.value for entry in tensor.external_data}
    data = path.with_name(f"{path.name}.data")
    if external.get("location") != data.name:
        yield f"its weight {shown(tensor.name)} lies in {shown(external.get('location', ''))}"
        return
    numbers = [external.get("offset", "0"), external.get("length", str(wanted))]
    if not all(number.isdecimal() and len(number) < 20 for number in numbers):
        yield f"its weight {shown(tensor.name)} has no place in {shown(data.name)}"
        return
    offset, length = map(int, numbers)
    try:
        found = data.lstat()
    except OSError:
        yield f"its weights are to be in {shown(data.name)} beside it, which is not there"
        return
    if not stat.S_ISREG(found.st_mode) or length != wanted or offset + length > found.st_size:
        yield f"its weight {shown(tensor.name)} does not lie within {shown(data.name)}"


def _is_external(tensor: onnx.TensorProto) -> bool:
    return bool(tensor.data_location == onnx.TensorProto.EXTERNAL)
