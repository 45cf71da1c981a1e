"""A check for features that only support classifiers. Needs no torch."""

from __future__ import annotations

from resnext.errors import ConfigError
from resnext.model.config import ModelConfig, SegmenterConfig


def require_classifier(config: ModelConfig, what: str) -> None:
    """Refuse a network that gives every pixel a class.

    Args:
        config: The network.
        what: Name of the feature.

    Raises:
        ConfigError: The network gives every pixel a class.
    """
    if isinstance(config, SegmenterConfig):
        raise ConfigError(
            f"{what} only supports classifiers, but {config.family} gives every pixel a class; "
            "use its backbone, such as resnext50_32x4d"
        )
