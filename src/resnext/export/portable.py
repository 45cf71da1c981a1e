"""Requirements of ONNX readers beyond the standard.

docs/export.md lists the rules and their sources; a test checks the exported graphs.
"""

from __future__ import annotations

import onnx


def make_portable(model: onnx.ModelProto) -> None:
    """Change a model so that more programs can read it; its results stay the same."""
    _cast_first(model.graph)
    _drop_unused_domains(model)
    _drop_traces(model.graph)


def _cast_first(graph: onnx.GraphProto) -> None:
    """Let a uint8 input feed only a cast, as TensorRT requires.

    The exporter also reads the image's sides from the input.
    """
    given = graph.input[0]
    if given.type.tensor_type.elem_type != onnx.TensorProto.UINT8:
        return
    index = next(
        index
        for index, node in enumerate(graph.node)
        if node.op_type == "Cast" and given.name in node.input
    )
    cast = onnx.NodeProto()
    cast.CopyFrom(graph.node[index])
    del graph.node[index]
    for node in graph.node:
        node.input[:] = [cast.output[0] if name == given.name else name for name in node.input]
    graph.node.insert(0, cast)


def _drop_unused_domains(model: onnx.ModelProto) -> None:
    """Remove imports of unused opsets, which quantisation adds and some readers refuse."""
    used = {"", *(node.domain for node in model.graph.node)}
    kept = [domain for domain in model.opset_import if domain.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(kept)


def _drop_traces(graph: onnx.GraphProto) -> None:
    """Remove the exporter's notes, which contain paths of the exporting machine."""
    for part in (graph, *graph.node, *graph.value_info, *graph.input, *graph.output):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
