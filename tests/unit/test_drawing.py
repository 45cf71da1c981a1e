import pytest
from matplotlib.text import Text
from svg import parse_svg

from resnext import drawing
from resnext.untrusted.text import printable


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
