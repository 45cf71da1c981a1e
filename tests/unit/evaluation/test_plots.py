import base64
import math
import xml.etree.ElementTree as ET

import pytest
import torch
from matplotlib.text import Text

from resnext.evaluation import drawing, plots
from resnext.untrusted.text import printable

EPOCHS = [
    {"epoch": n, "step": 10 * n, "train_loss": 2 / n, "loss": 1 / n, "top1_error": 50 / n}
    for n in (1, 2, 3)
]


def parse_svg(address: str) -> str:
    """Return the SVG text of an address, having checked that it is well-formed."""
    kind, _, content = address.partition(",")
    assert kind == "data:image/svg+xml;base64"
    text = base64.b64decode(content).decode()
    assert ET.fromstring(text).tag.endswith("svg")
    return text


def test_curves_are_drawings() -> None:
    for address in (plots.draw_losses(EPOCHS), plots.draw_errors(EPOCHS)):
        parse_svg(address)


def test_a_second_error_curve_appears_where_there_is_a_top5_error() -> None:
    without = parse_svg(plots.draw_errors([row | {"top5_error": None} for row in EPOCHS]))
    having = parse_svg(plots.draw_errors([row | {"top5_error": 1.0} for row in EPOCHS]))
    orange = drawing.ORANGE
    assert orange not in without
    assert orange in having


def test_one_epoch_and_lost_values_can_be_drawn() -> None:
    parse_svg(plots.draw_losses(EPOCHS[:1]))
    parse_svg(plots.draw_losses([*EPOCHS, EPOCHS[0] | {"epoch": 4, "loss": math.nan}]))


def test_the_learning_rate_is_drawn_over_epochs() -> None:
    parse_svg(plots.draw_learning_rate([{"step": 5, "lr": 0.1}, {"step": 10, "lr": 0.2}], 10))


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


@pytest.mark.parametrize(
    "text", [r"$\frac{$", "$x$", r"\$a$", "_name", "a\x1b\x00b", "--><script>"]
)
def test_a_label_is_drawn_as_it_stands(text: str) -> None:
    figure, axes = drawing.new_axes("x", "y")
    axes.plot([1], [1], label=drawing.plain_label(text))
    legend = axes.legend()
    assert len(legend.get_texts()) == 1
    shown = axes.get_legend_handles_labels()[1][0]
    assert drawn_text(shown).strip() == printable(text)
    assert "script" not in {
        part.partition(">")[0] for part in parse_svg(drawing.as_svg(figure)).split("<")
    }


def drawn_text(text: str) -> str:
    """Return what matplotlib draws of a text that is no formula."""
    drawn, is_formula = Text()._preprocess_math(text)  # type: ignore[attr-defined]
    assert not is_formula
    assert isinstance(drawn, str)
    return drawn
