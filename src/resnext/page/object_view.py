"""HTML for an image with the objects found in it: the image with boxes, a legend and a table."""

from __future__ import annotations

from collections import Counter
from html import escape

from PIL import Image

from resnext.page.mask_view import legend_row, to_picture
from resnext.tasks.detection.answer import MIN_SCORE, BoxAnswer
from resnext.tasks.segmentation.colors import class_colors
from resnext.untrusted.text import printable

_SHOWN_PX = 720
_MAX_LEGEND = 30
_HEAD = "".join(f"<th>{name}</th>" for name in ("class", "score", "left", "top", "right", "bottom"))


def show_objects(title: str, image: Image.Image, answer: BoxAnswer) -> str:
    """Return an image with its objects, the number of each class, and a table of boxes.

    Args:
        title: Title of the image.
        image: The network's input.
        answer: The objects.
    """
    picture = answer.draw(image)
    picture.thumbnail((_SHOWN_PX, _SHOWN_PX))
    address = to_picture(picture, "JPEG", quality=88)
    described = f"{title} with {len(answer.objects)} objects in boxes"
    return (
        f'<div class="objects"><figure><img src="{address}" alt="{escape(described)}">'
        f"<figcaption>{escape(title)}</figcaption></figure><div>{_found(answer)}</div></div>"
    )


def _found(answer: BoxAnswer) -> str:
    if not answer.objects:
        return f"<p>No object has a score of at least {100 * MIN_SCORE:.0f} %.</p>"
    colors = class_colors(answer.classes)
    counts = Counter(one.label for one in answer.objects).most_common()
    legend = [
        legend_row(colors[label], answer.classes[label], f"{num}")
        for label, num in counts[:_MAX_LEGEND]
    ]
    left_out = len(counts) - _MAX_LEGEND
    if left_out > 0:
        legend.append(f"<li>and {left_out} rarer classes</li>")
    rows = [
        f"<tr><td>{escape(printable(one.name))}</td><td>{100 * one.score:.1f} %</td>"
        + "".join(f"<td>{side:.1f}</td>" for side in one.box)
        + "</tr>"
        for one in answer.objects
    ]
    return (
        f'<ul class="legend">{"".join(legend)}</ul><table><thead><tr>{_HEAD}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )
