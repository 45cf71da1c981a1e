import base64

import torch
from svg import parse_svg

from resnext.tasks.classification import plots


def test_calibration_can_be_drawn_with_empty_bins() -> None:
    bins = torch.zeros(3, 15, dtype=torch.float64)
    bins[:, 14] = torch.tensor([5.0, 4.9, 4.0], dtype=torch.float64)
    parse_svg(plots.draw_calibration(bins))
    parse_svg(plots.draw_class_errors([0.0, 100.0, 50.0]))


def test_a_large_matrix_becomes_a_small_picture() -> None:
    address = plots.draw_confusion(torch.eye(1000, dtype=torch.int64))
    kind, _, content = address.partition(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(content).startswith(b"\x89PNG")
    assert len(content) < 200_000
