"""Why a network is less confident than it is right, where its training is the reason."""

from __future__ import annotations

import torch

from resnext.tasks.section import Softening


def explain_calibration(bins: torch.Tensor, softening: Softening, num_classes: int) -> str | None:
    """Explain too low confidences that softened labels cause.

    Args:
        bins: See `ClassificationResult.bins`.
        softening: How the network was trained.
        num_classes: Classes to choose from.

    Returns:
        What was measured, why, and what to do; None where nothing softened the labels, or the
        network is not less confident than right.
    """
    reasons = _reasons(softening, num_classes)
    images, confidence, right = bins.sum(1).tolist()
    if not reasons or not images or confidence >= right:
        return None
    return (
        f"It is less confident than it is right, and is so by construction: its mean confidence "
        f"is {confidence / images:.1%} and its accuracy {right / images:.1%}, because "
        f"{' and '.join(reasons)}. This does not change which class it predicts. To use its "
        "confidences as probabilities, divide the logits by a temperature (here below 1) that "
        "minimises the loss on held-out images, or train without softened labels."
    )


def _reasons(softening: Softening, num_classes: int) -> list[str]:
    smoothing = softening.label_smoothing
    most = 1.0 - smoothing + smoothing / max(num_classes, 1)
    mixed = [f"{name} {alpha:g}" for name, alpha in softening.mixing.items() if alpha]
    reasons = []
    if smoothing:
        reasons.append(f"label smoothing {smoothing:g} never asks for more than {most:.1%}")
    if mixed:
        reasons.append(f"{' and '.join(mixed)} trained it on images of two classes at once")
    return reasons
