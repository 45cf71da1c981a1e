"""The plots of a classifier. Each function returns an image as the text of a `data:` address."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter

from resnext.drawing import BLUE, GREY, as_png, as_svg, clean, new_axes
from resnext.tasks.classification.confusion import filled_cells, images_per_class

_MAX_CELLS = 250


def draw_calibration(bins: torch.Tensor) -> str:
    """Draw accuracy against confidence, and how many images each bin holds.

    Args:
        bins: See `ClassificationResult.bins`.
    """
    images, confidence, right = bins[:, bins[0] > 0]
    figure = Figure(figsize=(4.6, 4.4), layout="constrained")
    axes, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="perfect")
    axes.plot(
        (confidence / images).tolist(),
        (right / images).tolist(),
        "o-",
        color=BLUE,
        label="network",
    )
    axes.set(xlim=(0, 1), ylim=(0, 1.02), ylabel="accuracy")
    axes.legend(frameon=False)
    width = 1 / bins.shape[1]
    lefts = [number * width for number in range(bins.shape[1])]
    below.bar(lefts, bins[0].tolist(), width=width, align="edge", color=BLUE, edgecolor="white")
    below.set(xlabel="confidence", ylabel="images", yscale="log")
    below.yaxis.set_minor_formatter(NullFormatter())  # there is no room for more labels
    for part in (axes, below):
        clean(part)
    return as_svg(figure)


def draw_class_errors(errors: Iterable[float]) -> str:
    """Draw how many classes have which error, in percent."""
    figure, axes = new_axes("error of a class, %", "classes")
    axes.hist(list(errors), bins=20, range=(0, 100), color=BLUE, edgecolor="white")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    return as_svg(figure)


def draw_confusion(confusion_kk: torch.Tensor) -> str:
    """Draw a large confusion matrix as a picture, each row as shares of its class."""
    num_classes = len(confusion_kk)
    labels_c, predictions_c, counts_c = filled_cells(confusion_kk)
    totals_k, _ = images_per_class(confusion_kk)
    # A cell smaller than a pixel would fade away; the largest of its neighbours stands for it.
    side = min(num_classes, _MAX_CELLS)
    places_c = labels_c * side // num_classes * side + predictions_c * side // num_classes
    shares_c = counts_c / totals_k[labels_c]
    cells = torch.zeros(side * side).scatter_reduce(0, places_c, shares_c, "amax").view(side, side)
    figure = Figure(figsize=(5.6, 5.2), layout="constrained")
    axes = figure.subplots()
    # The square root brings out the rare confusions, which are what one looks for.
    image = axes.imshow(
        cells.sqrt().numpy(),
        cmap="Blues",
        vmin=0,
        vmax=1,
        extent=(0, num_classes, num_classes, 0),
        interpolation="nearest",
    )
    bar = figure.colorbar(image, ax=axes, shrink=0.8, label="share of the class")
    shares = (0.0, 0.01, 0.05, 0.2, 0.5, 1.0)
    bar.set_ticks([share**0.5 for share in shares], labels=[f"{share:.0%}" for share in shares])
    axes.set(xlabel="prediction (class number)", ylabel="label (class number)")
    return as_png(figure)
