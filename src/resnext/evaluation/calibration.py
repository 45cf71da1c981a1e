"""Why a network is less confident than it is right, where its training is the reason."""

from __future__ import annotations

import torch

from resnext.runs.config import TrainConfig


def explain_calibration(bins: torch.Tensor, config: TrainConfig | None) -> str | None:
    """Explain too low confidences that softened labels cause.

    Args:
        bins: See `EvalResult.bins`.
        config: The settings of training, if they are known.

    Returns:
        What was measured, why, and what to do; None where nothing softened the labels, or the
        network is not less confident than right.
    """
    reasons = [] if config is None else _reasons(config)
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


def _reasons(config: TrainConfig) -> list[str]:
    smoothing, augment = config.label_smoothing, config.augment
    most = 1.0 - smoothing + smoothing / max(config.model.num_classes, 1)
    mixed = [
        f"{name} {alpha:g}"
        for name, alpha in (("mixup", augment.mixup), ("cutmix", augment.cutmix))
        if alpha
    ]
    reasons = []
    if smoothing:
        reasons.append(f"label smoothing {smoothing:g} never asks for more than {most:.1%}")
    if mixed:
        reasons.append(f"{' and '.join(mixed)} trained it on images of two classes at once")
    return reasons
