from __future__ import annotations

import base64
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from made_study import made_study, made_times
from matplotlib.figure import Figure

from resnext.evaluation.drawing import as_svg
from resnext.studies import plots

POINTS: list[plots.Point] = [(1, 9.0, 0.1), (8, 8.0, None), (32, 7.5, 0.2)]
CURVE = [50.0, 20.0, 10.0]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """Figures as they are before they become pictures."""
    found: list[Figure] = []

    def keep(figure: Figure) -> str:
        found.append(figure)
        return as_svg(figure)

    monkeypatch.setattr("resnext.studies.plots.as_svg", keep)
    return found


def is_svg(address: str) -> bool:
    _, _, content = address.partition(";base64,")
    return ET.fromstring(base64.b64decode(content)).tag.endswith("svg")


def styles(figure: Figure) -> list[tuple[str, str]]:
    lines = [line for line in figure.axes[0].lines if np.size(line.get_xdata()) > 2]
    return [(str(line.get_marker()), str(line.get_linestyle())) for line in lines]


def names(figure: Figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_series_differ_by_more_than_colour(drawn: list[Figure]) -> None:
    assert is_svg(plots.draw_errors(dict.fromkeys("abcdef", POINTS), "cardinality"))
    markers = [marker for marker, line in styles(drawn[0]) if line != "None" and marker != "_"]
    assert len(set(markers)) == 6


def test_a_point_of_one_seed_has_no_bar(drawn: list[Figure]) -> None:
    plots.draw_errors({"a": POINTS}, "cardinality")
    (bars,) = drawn[0].axes[0].collections
    segments = [np.asarray(path.vertices) for path in bars.get_paths()]
    assert sum(len(ends) > 0 and bool(np.isfinite(ends).all()) for ends in segments) == 2


def test_training_is_dashed_and_validation_solid(drawn: list[Figure]) -> None:
    plots.draw_curves({"a": CURVE, "b": CURVE}, {"a": CURVE, "b": CURVE})
    assert [line for _, line in styles(drawn[0])] == ["-", "--", "-", "--"]
    assert names(drawn[0]) == ["a", "b"]


def test_times_are_relative_to_the_least_cardinality(drawn: list[Figure]) -> None:
    times = made_times(made_study("abc"))
    assert is_svg(plots.draw_times({"family": list(zip((4, 1, 2), times, strict=True))}))
    step = drawn[0].axes[0].lines[0]
    assert list(step.get_xdata()) == [1, 2, 4]  # type: ignore[arg-type]
    assert list(step.get_ydata()) == pytest.approx([1, 1.2, 1 / 1.2])  # type: ignore[arg-type]


def test_a_distribution_rises_from_0_to_1_in_steps_of_a_design(drawn: list[Figure]) -> None:
    assert is_svg(plots.draw_distribution({"a": [3.0, 1.0, 2.0, 2.0]}))
    (line,) = drawn[0].axes[0].lines
    y = list(line.get_ydata())  # type: ignore[arg-type]
    assert (y[0], y[-1]) == (0, 1)
    assert dict(zip(line.get_xdata(), y, strict=True))[2.0] == 0.75  # type: ignore[arg-type]
    assert names(drawn[0]) == ["a (n = 4)"]


def test_points_of_designs_are_not_joined(drawn: list[Figure]) -> None:
    plots.draw_scatter({"a": [(1, 2.0), (2, 3.0), (4, 2.5)]}, "cardinality")
    assert [line for _, line in styles(drawn[0])] == ["None"]


@pytest.mark.parametrize("name", ["$x", "a $\\frac{ b$", "_hidden", "<b>&", "x" * 300, "%s {}"])
def test_any_name_is_drawn_as_it_stands(drawn: list[Figure], name: str) -> None:
    assert is_svg(plots.draw_errors({name: POINTS, "other": POINTS}, "cardinality"))
    assert len(names(drawn[0])) == 2
    assert len(names(drawn[0])[0]) <= 61


def test_one_value_of_x_is_enough() -> None:
    assert is_svg(plots.draw_scatter({"a": [(4, 2.0)]}, "cardinality"))
