"""The plot of a learning-rate range test."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from resnext.drawing import BLUE, GREY, ORANGE, new_axes

_ABOVE_START = 0.25
"""Upper limit of the plot above the first loss, as a fraction of the decrease; a diverging loss
would flatten everything else."""


def draw_lr_test(
    lrs: Sequence[float],
    losses: Sequence[float],
    smoothed: Sequence[float],
    suggestion: float | None,
) -> Figure:
    """Plot the loss against the learning rate, with the suggested rate.

    Args:
        lrs: The rate of each step, increasing.
        losses: Loss of each step.
        smoothed: The same, smoothed.
        suggestion: The rate to mark.
    """
    figure, axes = new_axes("learning rate (optim.lr)", "training loss")
    axes.plot(lrs, losses, ".", color=GREY, markersize=3, label="steps")
    axes.plot(lrs, smoothed, color=BLUE, label="smoothed")
    if suggestion is not None:
        axes.axvline(suggestion, color=ORANGE, linestyle="--", label=f"suggested: {suggestion:.2g}")
    axes.set_xscale("log")
    low, start = min(smoothed), smoothed[0]
    margin = max(_ABOVE_START * (start - low), 0.05 * start)
    axes.set_ylim(low - margin, start + 2 * margin)
    axes.legend(frameon=False)
    return figure
