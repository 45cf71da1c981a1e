"""An ONNX file is opened only if it holds what `resnext export` writes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from tiny_runtimes import export

from resnext.errors import CheckpointError
from resnext.runtimes import onnx_runtime
from resnext.runtimes.open import open_exported

Change = Callable[[onnx.ModelProto], Any]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(tmp_path_factory.mktemp("whole") / "net.onnx", sealed=False)


def set_conv(name: str, values: list[int]) -> Change:
    def change(model: onnx.ModelProto) -> None:
        conv = next(node for node in model.graph.node if node.op_type == "Conv")
        kept = [attribute for attribute in conv.attribute if attribute.name != name]
        del conv.attribute[:]
        conv.attribute.extend([*kept, onnx.helper.make_attribute(name, values)])

    return change


def set_external(model: onnx.ModelProto, location: str = "../../etc/passwd", **place: str) -> None:
    weight = model.graph.initializer[0]
    weight.ClearField("raw_data")
    weight.data_location = onnx.TensorProto.EXTERNAL
    for key, value in {"location": location, **place}.items():
        entry = weight.external_data.add()
        entry.key, entry.value = key, value


def add_loop(model: onnx.ModelProto) -> None:
    node = model.graph.node.add()
    node.op_type = "Relu"
    node.attribute.add(name="body", type=onnx.AttributeProto.GRAPH)


def enlarge(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].dims[:] = [2**40, 2**40]


HOSTILE: dict[str, tuple[Change, str]] = {
    "path": (set_external, r"is in '\.\./\.\./etc/passwd'"),
    "absolute path": (lambda model: set_external(model, "/etc/passwd"), "is in '/etc/passwd'"),
    "no data": (
        lambda model: set_external(model, "net.onnx.data"),
        "next to it, which does not exist",
    ),
    "operator": (lambda m: setattr(m.graph.node[0], "op_type", "Loop"), "an operator 'Loop'"),
    "domain": (lambda m: setattr(m.graph.node[0], "domain", "evil"), "of 'evil'"),
    "graph inside": (add_loop, "'body' that is a graph"),
    "function": (lambda model: model.functions.add(), "functions"),
    "sparse": (lambda model: model.graph.sparse_initializer.add(), "sparse"),
    "input": (lambda model: model.graph.input.add(), "2 inputs"),
    "shape": (enlarge, r"of [\d,]+ bytes has"),
    "padding": (set_conv("pads", [2**20] * 4), "'pads' of 1,048,576"),
    "stride": (set_conv("strides", [0, 0]), "'strides' of 0"),
    "type": (lambda m: setattr(m.graph.initializer[0], "data_type", 999), "unknown type"),
}


@pytest.mark.parametrize(("change", "message"), HOSTILE.values(), ids=HOSTILE)
def test_what_an_export_does_not_hold_is_refused_before_the_runtime_sees_it(
    change: Change, message: str, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = onnx.load(whole)
    change(model)
    (tmp_path / "net.onnx").write_bytes(model.SerializeToString())
    monkeypatch.setattr(onnx_runtime, "open_session", lambda *_, **__: pytest.fail("was opened"))
    with pytest.raises(CheckpointError, match=rf"net\.onnx: refused: .*{message}"):
        open_exported(tmp_path / "net.onnx")


def test_a_file_without_checksum_is_opened(whole: Path) -> None:
    assert open_exported(whole).run(np.zeros((1, 8, 8, 3), np.uint8)).shape == (1, 3)


@pytest.mark.slow
def test_weights_beside_the_file_are_read_and_verified(tmp_path: Path) -> None:
    from resnext.runtimes.seal import seal
    from resnext.runtimes.spec import KEY, describe

    path = export(tmp_path / "net.onnx", sealed=False)
    model, opened = onnx.load(path), open_exported(path)
    description = describe(opened.config, opened.card, opened.spec)
    onnx.helper.set_model_props(model, {KEY: description})
    onnx.save_model(
        model, path, save_as_external_data=True, location="net.onnx.data", size_threshold=100
    )
    seal(path, [tmp_path / "net.onnx.data"])
    images = np.full((2, 8, 8, 3), 77, np.uint8)
    assert np.array_equal(open_exported(path).run(images), opened.run(images))
    data = bytearray((tmp_path / "net.onnx.data").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "net.onnx.data").write_bytes(data)
    with pytest.raises(CheckpointError, match=r"is damaged: it or its weight file"):
        open_exported(path)


def test_a_graph_that_computes_something_of_another_shape_is_refused(
    whole: Path, tmp_path: Path
) -> None:
    model = onnx.load(whole)
    output = model.graph.node[-1].output[0]
    model.graph.node.append(onnx.helper.make_node("Transpose", [output], ["t"], perm=[1, 0]))
    model.graph.output[0].name = "t"
    model.graph.output[0].type.tensor_type.ClearField("shape")
    onnx.save(model, tmp_path / "net.onnx")
    with pytest.raises(CheckpointError, match=r"\(3, 2\) instead of \(2, 3\)"):
        open_exported(tmp_path / "net.onnx").run(np.zeros((2, 8, 8, 3), np.uint8))
