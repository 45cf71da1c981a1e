"""The card of a weight file: everything besides its architecture."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from resnext.errors import ConfigError
from resnext.model.config import ModelConfig
from resnext.model.normalisation import Mean, Std
from resnext.model.signal import SignalInput
from resnext.settings import Settings

MAX_SIDE_PX = 2**20
"""Maximum side, longer than any signal; `MAX_INPUT_VALUES` limits images and volumes."""

MAX_INPUT_VALUES = 2**28
"""Maximum values of one input: a photograph of 9,000 pixels per side, or a volume of 440."""

Interpolation = Literal["bilinear", "bicubic"]


class ModelCard(Settings):
    """Origin of the weights, and preprocessing of their images.

    Attributes:
        data: Name of the data set of training.
        classes: Class names, in the order of the logits; empty if unknown.
        image_size_px: Side of the crop that the network was validated on.
        resize_px: Short side to which files are resized before the crop; None for data sets in
            memory, whose images are not resized.
        interpolation: Filter of that resize.
        mean: Mean of each channel to subtract, of values in 0..1.
        std: Standard deviation of each channel to divide by.
        task: Task of the network, such as `classification`.
        signal: How signals are prepared, of a network for time series, volumes or text; None
            where it takes images.
        thresholds: For `multilabel`, the probability from which each label applies.
        metrics: Measured metrics, such as `top1_error` in percent.
        epoch: Epochs that these weights were trained for.
        source: Source of published weights: a catalogue name or a repository.
        licence: Their licence; empty if unknown.
    """

    data: str = ""
    classes: tuple[str, ...] = ()
    image_size_px: Annotated[int, Field(ge=1, le=MAX_SIDE_PX)] = 224
    resize_px: Annotated[int, Field(ge=1, le=MAX_SIDE_PX)] | None = 256
    interpolation: Interpolation = "bilinear"
    mean: Mean = (0.485, 0.456, 0.406)
    std: Std = (0.229, 0.224, 0.225)
    task: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")] = "classification"
    signal: SignalInput | None = None
    thresholds: tuple[Annotated[float, Field(ge=0.0, le=1.0)], ...] = ()
    metrics: dict[str, float] = Field(default_factory=dict)
    epoch: int = 0
    source: str = ""
    licence: str = ""

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.signal is not None and self.image_size_px != self.signal.size:
            raise ConfigError(
                f"image_size_px={self.image_size_px} of a card for signals of size "
                f"{self.signal.size}: both must be the same"
            )
        return self

    @model_serializer(mode="wrap")
    def _leave_out_unset(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Write cards of images as earlier versions did, which read them."""
        values: dict[str, Any] = write(self)
        if self.signal is None:
            values.pop("signal", None)
        return values

    def require_images(self, what: str) -> None:
        """Refuse a network that takes signals.

        Args:
            what: What is for images only, in words.

        Raises:
            ConfigError: The network takes signals.
        """
        if self.signal is not None:
            raise ConfigError(
                f"{what} is for networks that take images so far; this one takes "
                f"{self.signal.description}, which evaluate and predict can show it"
            )

    def output_names(self, num_classes: int) -> tuple[str, ...]:
        """Return the classes, or the numbers of the outputs if unknown."""
        return self.classes or tuple(str(label) for label in range(num_classes))


def card_from(values: Any, config: ModelConfig) -> ModelCard:
    """Build a card from a value in a file, and check it against the network.

    Args:
        values: A parsed JSON value.
        config: The network's architecture.

    Raises:
        ConfigError: It is not a group of settings, a setting is wrong, there is not one class or
            threshold per output, or images would be resized to an excessive size.
    """
    if not isinstance(values, dict):
        raise ConfigError("the card is not a group of settings")
    card = ModelCard(**values)
    if card.classes and len(card.classes) != config.num_classes:
        raise ConfigError(
            f"the card has {len(card.classes)} classes, but the network has {config.num_classes}"
        )
    if card.thresholds and len(card.thresholds) != config.num_classes:
        raise ConfigError(
            f"the card has {len(card.thresholds)} thresholds, but the network has "
            f"{config.num_classes} outputs"
        )
    signal = card.signal
    if signal is not None and (signal.ndim, signal.in_channels) != (
        getattr(config, "input_ndim", 2),
        config.in_channels,
    ):
        raise ConfigError(
            f"the card is for a {signal.kind} of {signal.in_channels} channel(s), the network has "
            f"{getattr(config, 'input_ndim', 2)} dimension(s) and {config.in_channels} channel(s)"
        )
    if signal is not None:
        embedding = getattr(config, "embedding", None)
        wanted = None if embedding is None else embedding.num_tokens
        known = None if signal.text is None else signal.text.num_tokens
        if known != wanted:
            raise ConfigError(
                f"the card's vocabulary has {known} tokens, the network's embedding {wanted}: both "
                "must be the same"
            )
    sides = max(card.image_size_px, card.resize_px or 1) ** getattr(config, "ndim", 2)
    if signal is not None:
        sides = math.prod(signal.sides)
    if sides * config.in_channels > MAX_INPUT_VALUES:
        raise ConfigError(
            f"the card requires images of {card.image_size_px} px, resized to {card.resize_px} "
            f"px: more than {MAX_INPUT_VALUES:,} values"
        )
    return card
