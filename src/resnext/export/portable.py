"""What programs that read ONNX files ask of a graph beyond the standard.

The rules and their sources stand in docs/export.md; a test walks the exported graphs.
"""

from __future__ import annotations

import onnx


def make_portable(model: onnx.ModelProto) -> None:
    """Change a model so that more programs read it; what it computes stays the same."""
    _cast_first(model.graph)
    _drop_unused_domains(model)
    _drop_traces(model.graph)


def _cast_first(graph: onnx.GraphProto) -> None:
    """Let a uint8 input feed a cast and nothing else, which is all that TensorRT takes.

    The exporter reads the sides of an image off the input itself.
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
    """Import no operator sets that no node uses, as quantisation does: some readers refuse them."""
    used = {"", *(node.domain for node in model.graph.node)}
    kept = [domain for domain in model.opset_import if domain.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(kept)


def _drop_traces(graph: onnx.GraphProto) -> None:
    """Leave out the exporter's notes, which name the folders of the machine that exported."""
    for part in (graph, *graph.node, *graph.value_info, *graph.input, *graph.output):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
