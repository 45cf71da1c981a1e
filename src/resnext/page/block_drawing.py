"""One residual block drawn in its form: paths, early concatenation, or a grouped convolution.

Each box shows input channels, kernel and output channels, as in the paper's figure 3.

Source: arXiv 1611.05431, figure 3.
"""

from __future__ import annotations

from dataclasses import dataclass

from resnext.model.config import ResNeXtConfig
from resnext.model.parts import BlockPart
from resnext.model.plan import BlockPlan, plan_network
from resnext.page.svg import TIMES, Drawing

_ROW, _BOX_HEIGHT, _GAP = 46.0, 26.0, 14.0
_TOP = 26.0
_WIDEST_PATHS = 4  # more paths are drawn as the first two, dots, and the last


@dataclass(frozen=True)
class _Layer:
    """One box: input channels, kernel side, output channels and an optional note."""

    channels_in: int
    kernel: int
    channels_out: int
    note: str = ""

    @property
    def text(self) -> str:
        return (
            f"{self.channels_in}, {self.kernel}{TIMES}{self.kernel}, {self.channels_out}"
            f"{', ' + self.note if self.note else ''}"
        )


def draw_block(config: ResNeXtConfig, name: str) -> str:
    """Draw the second block of the first stage, as the paper does, or its only block.

    Args:
        config: The network.
        name: Id of its arrow marker; unique on the page.

    Returns:
        SVG.
    """
    stage = plan_network(config).stages[0]
    block = stage[min(1, len(stage) - 1)]
    if config.block == "bottleneck" and config.form in ("a", "b"):
        return _draw_paths(config, block, name)
    return _draw_column(_column(config, block), block, name)


def _column(config: ResNeXtConfig, block: BlockPlan) -> list[str]:
    """Return the labels of the layers of a block whose residual branch is one column."""
    if isinstance(config.block, BlockPart):
        return config.block.describe(block)
    inner, outer = block.group_width, block.out_channels
    if config.block == "basic":
        return [_Layer(block.in_channels, 3, inner).text, _Layer(inner, 3, outer).text]
    groups = f"groups = {block.cardinality}" if block.cardinality > 1 else ""
    return [
        _Layer(block.in_channels, 1, inner).text,
        _Layer(inner, 3, inner, groups).text,
        _Layer(inner, 1, outer).text,
    ]


def _draw_column(layers: list[str], block: BlockPlan, name: str) -> str:
    width = max(7.6 * max(len(layer) for layer in layers) + 24, 130)
    x, side = width / 2 + 30, width + 62
    bottom = _TOP + _ROW * (len(layers) + 1)
    label = "A residual block: " + ", then ".join(layers)
    drawing = Drawing(side + 96, bottom + 40, f"{label}; {_shortcut(block)}", name)
    y = _enter(drawing, x, block)
    for number, layer in enumerate(layers, start=1):
        previous, y = y, _TOP + _ROW * number
        drawing.arrow((x, previous), (x, y - _BOX_HEIGHT / 2))
        drawing.box(x, y, width, _BOX_HEIGHT, layer)
        y += _BOX_HEIGHT / 2
    drawing.arrow((x, y), (x, bottom - 9))
    _leave(drawing, x, bottom, side, block)
    return drawing.as_svg()


def _draw_paths(config: ResNeXtConfig, block: BlockPlan, name: str) -> str:
    """Draw forms (a) and (b): the first paths, dots, and the last."""
    paths, d = block.cardinality, block.path_width
    shown = paths if paths <= _WIDEST_PATHS else 3
    layers = [_Layer(block.in_channels, 1, d), _Layer(d, 3, d)]
    if config.form == "a":
        layers.append(_Layer(d, 1, block.out_channels))
    width = 7.2 * max(len(layer.text) for layer in layers) + 14
    dots = 0.0 if paths <= _WIDEST_PATHS else 84.0
    across = shown * width + (shown - 1) * _GAP + dots
    middle = 16 + across / 2
    last_row = _TOP + _ROW * len(layers)
    bottom = last_row + _ROW * (2.1 if config.form == "a" else 2.6)
    label = (
        f"A residual block of {paths} paths, each {', then '.join(row.text for row in layers)}; "
        f"{'summed' if config.form == 'a' else 'concatenated'}; {_shortcut(block)}"
    )
    drawing = Drawing(across + 130, bottom + 40, label, name)
    start = _enter(drawing, middle, block)
    end = last_row + _ROW * 0.75  # where the paths meet
    for number in range(shown):
        is_last = number == shown - 1
        x = 16 + width / 2 + number * (width + _GAP) + (dots if is_last else 0)
        drawing.arrow((middle, start), (x, _TOP + _ROW - _BOX_HEIGHT / 2))
        for row, layer in enumerate(layers, start=1):
            y = _TOP + _ROW * row
            if row > 1:
                drawing.arrow((x, y - _ROW + _BOX_HEIGHT / 2), (x, y - _BOX_HEIGHT / 2))
            drawing.box(x, y, width, _BOX_HEIGHT, layer.text)
        drawing.arrow((x, last_row + _BOX_HEIGHT / 2), (middle, end))
    if dots:
        x = 16 + 2 * (width + _GAP) + dots / 2 - _GAP / 2
        drawing.text(x, _TOP + _ROW * 1.3, f"{paths} paths", "soft")
        drawing.text(x, _TOP + _ROW * 1.8, "· · ·", "soft")
    _meet(drawing, config, block, middle, end, bottom)
    _leave(drawing, middle, bottom, across + 36, block)
    return drawing.as_svg()


def _meet(
    drawing: Drawing,
    config: ResNeXtConfig,
    block: BlockPlan,
    x: float,
    y: float,
    bottom: float,
) -> None:
    """Sum the paths, or concatenate them before one last convolution."""
    if config.form == "a":
        drawing.plus(x, y + 9)
        drawing.arrow((x, y + 18), (x, bottom - 9))
        return
    drawing.box(x, y + 11, 108, 22, "concatenate", "plain")
    last = _Layer(block.group_width, 1, block.out_channels)
    width = 7.6 * len(last.text) + 24
    drawing.arrow((x, y + 22), (x, bottom - _ROW - _BOX_HEIGHT / 2 + 8))
    drawing.box(x, bottom - _ROW + 8, width, _BOX_HEIGHT, last.text)
    drawing.arrow((x, bottom - _ROW + 8 + _BOX_HEIGHT / 2), (x, bottom - 9))


def _enter(drawing: Drawing, x: float, block: BlockPlan) -> float:
    drawing.text(x + 10, 9, f"{block.in_channels}-d in", "soft", "start")
    drawing.line((x, 2), (x, _TOP))
    return _TOP


def _leave(drawing: Drawing, x: float, y: float, side: float, block: BlockPlan) -> None:
    """Add the shortcut, which runs down at `side`, and the output of the sum."""
    drawing.text(x + 14, y + 26, f"{block.out_channels}-d out", "soft", "start")
    if block.shortcut == "none":
        drawing.arrow((x, y - 9), (x, y + 34))
        drawing.text(side - 16, _TOP + 8, "no shortcut", "soft", "start")
        return
    drawing.plus(x, y)
    drawing.arrow((x, y + 9), (x, y + 34))
    drawing.arrow((x, _TOP - 6), (side, _TOP - 6), (side, y), (x + 10, y))
    drawing.text(side + 6, (_TOP + y) / 2 - 8, _shortcut(block).split(" ")[0], "soft", "start")
    drawing.text(side + 6, (_TOP + y) / 2 + 8, "shortcut", "soft", "start")


def _shortcut(block: BlockPlan) -> str:
    words = {
        "identity": "identity shortcut",
        "projection": "projected shortcut",
        "zero_pad": "zero-padded shortcut",
        "custom": "registered shortcut",
        "none": "no shortcut",
    }
    return words[block.shortcut]
