"""What a weight file says about itself besides its architecture."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from resnext.settings import Settings

Interpolation = Literal["bilinear", "bicubic"]


class ModelCard(Settings):
    """How the weights came about and how images must be prepared for them.

    Attributes:
        data: Name of the data set of training.
        classes: Class names, in the order of the logits; empty if unknown.
        image_size_px: Side of the crop that the network was validated on.
        resize_px: Short side to which files are resized before the crop; None for
            sets in memory, whose images are used as they are.
        interpolation: Filter of that resize.
        mean: Mean of each channel that was subtracted, of values in 0..1.
        std: Standard deviation of each channel that was divided by.
        metrics: Measured figures, such as `top1_error` in percent.
        epoch: Epochs of training that these weights have seen.
        source: Where published weights come from: a name of the catalogue or a repository.
        licence: Their licence; empty if unknown.
    """

    data: str = ""
    classes: tuple[str, ...] = ()
    image_size_px: int = 224
    resize_px: int | None = 256
    interpolation: Interpolation = "bilinear"
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    metrics: dict[str, float] = Field(default_factory=dict)
    epoch: int = 0
    source: str = ""
    licence: str = ""
