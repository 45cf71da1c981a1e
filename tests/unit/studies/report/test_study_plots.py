from __future__ import annotations

import base64
import xml.etree.ElementTree as ET
from itertools import combinations

import numpy as np
import pytest
from made_study import made_study, made_times
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from resnext.drawing import as_svg
from resnext.studies.analysis.statistics import Mean
from resnext.studies.report import plots

POINTS: list[plots.Point] = [(1, 9.0, 0.1), (8, 8.0, None), (32, 7.5, 0.2)]
CURVE = [50.0, 20.0, 10.0]


def is_svg(figure: Figure) -> bool:
    _, _, content = as_svg(figure).partition(";base64,")
    return ET.fromstring(base64.b64decode(content)).tag.endswith("svg")


def styles(figure: Figure) -> list[tuple[str, str]]:
    lines = [line for line in figure.axes[0].lines if np.size(line.get_xdata()) > 2]
    return [(str(line.get_marker()), str(line.get_linestyle())) for line in lines]


def names(figure: Figure) -> list[str]:
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def test_series_differ_by_more_than_colour() -> None:
    figure = plots.draw_errors(dict.fromkeys("abcdef", POINTS), "cardinality", "error, %")
    assert is_svg(figure)
    markers = [marker for marker, line in styles(figure) if line != "None" and marker != "_"]
    assert len(set(markers)) == 6


def test_a_point_of_one_seed_has_no_bar() -> None:
    (bars,) = plots.draw_errors({"a": POINTS}, "cardinality", "error, %").axes[0].collections
    segments = [np.asarray(path.vertices) for path in bars.get_paths()]
    assert sum(len(ends) > 0 and bool(np.isfinite(ends).all()) for ends in segments) == 2


def test_training_is_dashed_and_validation_solid() -> None:
    figure = plots.draw_curves({"a": CURVE, "b": CURVE}, {"a": CURVE, "b": CURVE}, "error, %")
    assert [line for _, line in styles(figure)] == ["-", "--", "-", "--"]
    assert names(figure) == ["a", "b"]


def test_times_are_relative_to_the_least_cardinality() -> None:
    times = made_times(made_study("abc"))
    figure = plots.draw_times({"family": list(zip((4, 1, 2), times, strict=True))})
    assert is_svg(figure)
    step = figure.axes[0].lines[0]
    assert list(step.get_xdata()) == [1, 2, 4]  # type: ignore[arg-type]
    assert list(step.get_ydata()) == pytest.approx([1, 1.2, 1 / 1.2])  # type: ignore[arg-type]


def test_a_distribution_rises_from_0_to_1_in_steps_of_a_design() -> None:
    figure = plots.draw_distribution({"a": [3.0, 1.0, 2.0, 2.0]}, "error, %")
    assert is_svg(figure)
    (line,) = figure.axes[0].lines
    y = list(line.get_ydata())  # type: ignore[arg-type]
    assert (y[0], y[-1]) == (0, 1)
    assert dict(zip(line.get_xdata(), y, strict=True))[2.0] == 0.75  # type: ignore[arg-type]
    assert names(figure) == ["a (n = 4)"]


def test_points_of_designs_are_not_joined() -> None:
    figure = plots.draw_scatter({"a": [(1, 2.0), (2, 3.0), (4, 2.5)]}, "cardinality", "error, %")
    assert [line for _, line in styles(figure)] == ["None"]


@pytest.mark.parametrize("name", ["$x", "a $\\frac{ b$", "_hidden", "<b>&", "x" * 300, "%s {}"])
def test_any_name_is_drawn_as_it_stands(name: str) -> None:
    figure = plots.draw_errors({name: POINTS, "other": POINTS}, "cardinality", "error, %")
    assert is_svg(figure)
    assert len(names(figure)) == 2
    assert len(names(figure)[0]) <= 61


def test_one_value_of_x_is_enough() -> None:
    assert is_svg(plots.draw_scatter({"a": [(4, 2.0)]}, "cardinality", "error, %"))


def test_a_list_has_a_line_for_each_design_in_its_order() -> None:
    means = [Mean("b $x", 3, 7.0, 0.1), Mean("a", 1, 8.0, None)]
    figure = plots.draw_list(means, "error, %")
    assert is_svg(figure)
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == [r"b \$x", "a"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first one is on top


def seen(color: str, kind: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return a colour in linear light as an eye without one kind of cones sees it.

    Source: Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of
    Color Vision Deficiency", 2009, table of severity 1.
    """
    rgb = np.array(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    found: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = np.array(LACKING[kind]) @ linear
    return np.clip(found, 0, 1)


LACKING = {
    "none": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "red": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "green": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "blue": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


@pytest.mark.parametrize("kind", LACKING)
def test_colours_differ_for_every_kind_of_colour_vision(kind: str) -> None:
    figure = plots.draw_scatter({name: [(1, 2.0)] for name in "abcdef"}, "cardinality", "error, %")
    colors = [str(line.get_color()) for line in figure.axes[0].lines]
    assert len(colors) == 6
    for one, other in combinations(colors, 2):
        assert np.linalg.norm(seen(one, kind) - seen(other, kind)) > 0.1
