"""Exported graphs keep the rules that other readers of ONNX document; see docs/export.md."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import numpy as np
import onnx
import pytest
import torch
from nonempty import nonempty
from tiny_networks import tiny

from resnext.export.export import spec_of, write_file
from resnext.export.graph import FromPixels
from resnext.export.int8 import quantise
from resnext.export.options import OPSETS, ExportOptions
from resnext.export.write_onnx import save_onnx
from resnext.runtimes.onnx_check import OPERATORS, check_model
from resnext.runtimes.open import open_exported
from resnext.runtimes.spec import describe

pytestmark = [
    pytest.mark.slow,  # the networks are exported once, for all tests
    pytest.mark.usefixtures("remembered_traces"),
]

KINDS = {
    "normalised": ExportOptions(input="normalised"),
    "pixels": ExportOptions(input="pixels"),
    "image": ExportOptions(input="image"),
    "normalised of any size": ExportOptions(input="normalised", dynamic_size=True),
    "pixels of any size": ExportOptions(input="pixels", dynamic_size=True),
    "pixels in the oldest operators": ExportOptions(input="pixels", opset=OPSETS[0]),
    "pixels in the newest operators": ExportOptions(input="pixels", opset=OPSETS[-1]),
}
INT8 = ("pixels", "image")

# Inputs that the standard wants as int64: axes, shapes and places
_INT64_INPUTS = {"ReduceMean": 1, "Squeeze": 1, "Unsqueeze": 1, "Reshape": 1, "Resize": 3}
_ON_SHAPES = {"Shape", "Squeeze", "Unsqueeze", "Concat", "Min", "Mul", "Div", "Mod", "Add", "Sub"}


def write(path: Path, kind: str) -> Path:
    loaded = tiny()
    spec = spec_of(loaded, KINDS[kind])
    write_file(loaded, path, spec)
    return path


def write_int8(path: Path, kind: str) -> Path:
    """Quantise as `export_int8` does, without its measurements."""
    full = write(path.with_name("full.onnx"), kind)
    shape = (8, 16, 16, 3) if kind == "pixels" else (1, 22, 31, 3)
    quantise(full, path, [torch.randint(0, 256, shape, dtype=torch.uint8).numpy()])
    loaded, spec = tiny(), spec_of(tiny(), KINDS[kind]).replace(precision="int8")
    save_onnx(onnx.load(path), path, describe(loaded.config, loaded.card, spec))
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("portable")
    found = {kind: write(folder / f"{kind}.onnx", kind) for kind in KINDS}
    return found | {f"{kind} int8": write_int8(folder / f"{kind}.int8.onnx", kind) for kind in INT8}


ALL = [*KINDS, *(f"{kind} int8" for kind in INT8)]


@pytest.fixture(params=ALL)
def model(request: pytest.FixtureRequest, files: dict[str, Path]) -> onnx.ModelProto:
    return onnx.load(files[request.param])


def consumers(model: onnx.ModelProto, name: str) -> list[onnx.NodeProto]:
    return [node for node in model.graph.node if name in node.input]


def types(model: onnx.ModelProto) -> dict[str, int]:
    """Return the type of each tensor whose type the file tells or inference finds."""
    graph = onnx.shape_inference.infer_shapes(model).graph
    values = (*graph.input, *graph.value_info, *graph.output)
    found = {value.name: value.type.tensor_type.elem_type for value in values}
    return found | {tensor.name: tensor.data_type for tensor in graph.initializer}


def test_a_uint8_input_feeds_a_cast_to_floats_and_nothing_else(model: onnx.ModelProto) -> None:
    (given,) = model.graph.input
    if given.type.tensor_type.elem_type == onnx.TensorProto.UINT8:
        (cast,) = consumers(model, given.name)
        assert cast.op_type == "Cast"
        assert cast.attribute[0].i == onnx.TensorProto.FLOAT


def test_no_value_within_is_uint8_but_what_a_quantiser_made(model: onnx.ModelProto) -> None:
    made = {
        output
        for node in model.graph.node
        if node.op_type == "QuantizeLinear"
        for output in node.output
    }
    odd = {name for name, kind in types(model).items() if kind == onnx.TensorProto.UINT8}
    zeros = {name for name in odd if name.endswith("zero_point")}
    assert odd - made - zeros <= {model.graph.input[0].name}


def test_one_input_and_one_output_with_the_names_that_the_page_tells(
    model: onnx.ModelProto,
) -> None:
    (given,), (result,) = model.graph.input, model.graph.output
    is_float = given.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    assert (given.name, result.name) == ("images" if is_float else "pixels", "logits")
    assert result.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    names = [tensor.name for tensor in model.graph.initializer]
    assert given.name not in names
    assert len(names) == len(set(names))


def test_the_batch_is_the_first_axis_and_dynamic_on_both_sides_or_one(
    model: onnx.ModelProto,
) -> None:
    (given,), (result,) = (
        [[side.dim_param or side.dim_value for side in value.type.tensor_type.shape.dim]]
        for value in (model.graph.input[0], model.graph.output[0])
    )
    assert given[0] == result[0]
    assert given[0] in ("batch", 1)
    assert result[1:] == [5]
    if given[0] == 1:
        assert given[1:3] == ["height", "width"]


@pytest.mark.parametrize("kind", ["normalised", "pixels", "pixels int8"])
def test_only_the_batch_is_dynamic_by_default(kind: str, files: dict[str, Path]) -> None:
    (given,) = onnx.load(files[kind]).graph.input
    sides = [side.dim_param or side.dim_value for side in given.type.tensor_type.shape.dim]
    assert [side for side in sides if isinstance(side, str)] == ["batch"]


def test_operator_sets_are_those_in_use(model: onnx.ModelProto) -> None:
    assert [domain.domain for domain in model.opset_import] == [""]
    assert {node.domain for node in model.graph.node} == {""}
    assert model.opset_import[0].version in OPSETS
    assert not model.functions
    assert {node.op_type for node in model.graph.node} <= OPERATORS
    onnx.checker.check_model(model, full_check=True)


def test_the_usual_operator_set_is_one_that_every_reader_of_the_table_takes() -> None:
    spec = spec_of(tiny(), ExportOptions())
    assert spec.opset == 20  # DirectML's newest


def test_no_weight_is_int64_or_double(model: onnx.ModelProto) -> None:
    for tensor in nonempty(model.graph.initializer):
        assert tensor.data_type != onnx.TensorProto.DOUBLE
        if tensor.data_type == onnx.TensorProto.INT64:
            assert onnx.numpy_helper.to_array(tensor).size <= 4, "a constant of shapes is small"
            for node in consumers(model, tensor.name):
                place = list(node.input).index(tensor.name)
                is_wanted = _INT64_INPUTS.get(node.op_type) == place or node.op_type == "Slice"
                assert is_wanted or node.op_type in _ON_SHAPES


@pytest.mark.parametrize("kind", [kind for kind in ALL if not kind.startswith("image")])
def test_graphs_that_take_crops_compute_with_floats_only(kind: str, files: dict[str, Path]) -> None:
    """Readers without int64 arithmetic, such as WebGPU, run them whole."""
    model = onnx.load(files[kind])
    known = types(model)
    for node in nonempty(model.graph.node):
        for output in node.output:
            assert known.get(output) != onnx.TensorProto.INT64


def test_weights_of_convolutions_are_constants(model: onnx.ModelProto) -> None:
    constants = {tensor.name for tensor in model.graph.initializer}
    constants |= {
        output
        for node in model.graph.node
        if node.op_type == "DequantizeLinear" and node.input[0] in constants
        for output in node.output
    }
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    assert all(node.input[1] in constants for node in nonempty(convolutions))


def test_a_file_names_no_folder_of_the_machine_that_wrote_it(
    model: onnx.ModelProto,
) -> None:
    content = model.SerializeToString()
    assert str(Path(__file__).parents[3]).encode() not in content
    assert b"stack_trace" not in content


def test_the_change_is_exact(files: dict[str, Path]) -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)
    loaded = tiny()
    with torch.no_grad():
        graph = FromPixels(loaded.module, loaded.card)
        wanted = graph(torch.from_numpy(images)).numpy()
    found = open_exported(files["pixels"]).run(images)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", ["pixels", "pixels int8"])
def test_files_of_the_previous_layout_are_opened(kind: str, tmp_path: Path) -> None:
    """They transpose before they cast; those in int8 import nine operator sets."""

    def transpose_first(graph: FromPixels, pixels: torch.Tensor) -> torch.Tensor:
        return graph.classify(pixels.movedim(-1, 1).to(torch.float32))

    with (
        patch.object(FromPixels, "forward", transpose_first),
        patch("resnext.export.write_onnx.make_portable"),
    ):
        path = (write_int8 if "int8" in kind else write)(tmp_path / "old.onnx", "pixels")
    model = onnx.load(path)
    assert consumers(model, "pixels")[0].op_type == "Transpose"
    assert ("com.microsoft" in {d.domain for d in model.opset_import}) == ("int8" in kind)
    assert check_model(path, model) == ()
    images = np.zeros((2, 16, 16, 3), np.uint8)
    assert open_exported(path).run(images).shape == (2, 5)
