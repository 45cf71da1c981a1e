"""Untrained networks for signals of each kind."""

from __future__ import annotations

import torch

from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig
from resnext.model.create import create_model
from resnext.model.embedding_config import EmbeddingConfig
from resnext.model.signal import SignalInput
from resnext.model.text import TextInput
from resnext.model.trained import TrainedNetwork

SERIES = SignalInput(kind="series", size=12, mean=(0.0,), std=(1.0,))
VOLUME = SignalInput(kind="volume", size=6, mean=(0.5,) * 2, std=(0.25,) * 2)
TEXT = SignalInput(
    kind="text",
    size=5,
    mean=(0.0,),
    std=(1.0,),
    normalise="none",
    text=TextInput(unit="word", lower=True, vocabulary=("good", "bad", "film")),
)


def untrained(signal: SignalInput) -> TrainedNetwork:
    """Return a network with the classes a and b, the same in every call."""
    torch.manual_seed(0)
    config = ResNeXtConfig(
        stem="cifar", blocks_per_stage=(1,), stage_widths=(16,), stem_width=8, cardinality=2,
        ndim=signal.ndim, in_channels=signal.in_channels, num_classes=2,
    )  # fmt: skip
    if signal.text is not None:
        config = config.replace(
            embedding=EmbeddingConfig(num_tokens=signal.text.num_tokens, width=8)
        )
    channels = signal.in_channels
    card = ModelCard(
        classes=("a", "b"), image_size_px=signal.size, resize_px=None,
        mean=(0.0,) * channels, std=(1.0,) * channels, signal=signal,
    )  # fmt: skip
    return TrainedNetwork(create_model(config).eval(), config, card)
