"""Takes the size of the resized image from outside, where OpenVINO would compute it wrongly.

torchvision computes the size in float64. OpenVINO's CPU plugin computes float64 in float32, which
makes some images a pixel smaller; and where it fuses the division of a constant by the shortest
side into the search for that side, it divides the side by the constant (2026.4).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from resnext.export.detectors.resize import SIDES
from resnext.runtimes.openvino_import import import_openvino
from resnext.runtimes.openvino_sides import SIDES_INPUT


def take_sides(graph: Any) -> None:
    """Let a detector's graph take height and width of the resized image as its second input.

    Args:
        graph: OpenVINO's model of a detector; it is changed.
    """
    (computed,) = (
        output for node in graph.get_ops() for output in node.outputs() if SIDES in output.names
    )
    given = import_openvino().opset13.parameter([2], np.int64, name=SIDES_INPUT)
    given.output(0).set_names({SIDES_INPUT})
    for target in list(computed.get_target_inputs()):
        target.replace_source_output(given.output(0))
    graph.add_parameters([given])
    graph.validate_nodes_and_infer_types()
