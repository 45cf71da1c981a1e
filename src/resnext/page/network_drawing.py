"""Drawing of the whole network from input to classes; a stage's height shows its blocks."""

from __future__ import annotations

import math

from resnext.complexity.cost import Cost
from resnext.complexity.template import stage_output, stage_title
from resnext.model.config import ResNeXtConfig
from resnext.model.parts import StemPart
from resnext.model.plan import plan_network
from resnext.page.svg import TIMES, Drawing

_WIDTH, _X = 370.0, 140.0  # of the drawing, and the centre of its boxes
_GAP = 16.0
_NARROWEST, _WIDEST = 100.0, 264.0


def draw_network(config: ResNeXtConfig, cost: Cost, name: str) -> str:
    """Draw a network.

    Boxes scale with the square roots of the map's side and of the number of blocks, so that the
    halving of maps and the depth of stages are visible and every box fits.

    Args:
        config: The network.
        cost: Its cost, which has the sizes of the maps.
        name: Id of its arrow marker; unique on the page.

    Returns:
        SVG.
    """
    rows = _rows(config, cost)
    heights = [22.0 + 5.0 * math.sqrt(blocks) if blocks else 24.0 for _, _, blocks, _ in rows]
    height = sum(heights) + _GAP * (len(rows) - 1) + 4
    label = f"The network of {config.depth} layers: " + "; ".join(
        f"{title}, {output}" for title, output, _, _ in rows
    )
    drawing = Drawing(_WIDTH, height, label, name)
    y = 2.0
    for number, ((title, output, blocks, width), row_height) in enumerate(
        zip(rows, heights, strict=True)
    ):
        if number:
            drawing.arrow((_X, y - _GAP), (_X, y))
        middle = y + row_height / 2
        drawing.box(_X, middle, width, row_height, title, "box" if blocks else "plain")
        drawing.text(_WIDTH - 6, middle, output, "soft", "end")
        y += row_height + _GAP
    return drawing.as_svg()


def _rows(config: ResNeXtConfig, cost: Cost) -> list[tuple[str, str, int, float]]:
    """Return the title, map size, number of blocks and width of each box."""
    plan = plan_network(config)
    rows = [("image", _sides(cost.input_size), 0, _box_width(cost.input_size[1], cost))]
    for stage in cost.stages:
        output = stage_output(config, cost, stage)
        title, blocks = stage_title(stage.name), 0
        if stage.name == "stem":
            pool = f", then 3{TIMES}3 max pool" if plan.stem.pool else ""
            own = config.stem.title if isinstance(config.stem, StemPart) else ""
            title = f"{title}: {own or f'{plan.stem.kernel}{TIMES}{plan.stem.kernel}{pool}'}"
        elif stage.name == "head":
            classes = f", {config.num_classes:,} classes" if config.num_classes else ""
            title = f"average pool{classes}"
        else:
            blocks = len(plan.stages[int(stage.name.removeprefix("layer")) - 1])
            title = f"{title}: {blocks} block{'s' if blocks > 1 else ''}"
        side = output.sides[0] if output.sides else 1
        width = max(_box_width(side, cost), 7.4 * len(title) + 12)
        rows.append((title, _sides((output.channels, *output.sides)), blocks, width))
    return rows


def _box_width(side: int, cost: Cost) -> float:
    share = math.sqrt(side / cost.input_size[1])
    return _NARROWEST + (_WIDEST - _NARROWEST) * share


def _sides(sizes: tuple[int, ...]) -> str:
    return TIMES.join(str(size) for size in sizes)
