"""What takes classifiers only says so. Needs no torch."""

from __future__ import annotations

from resnext.errors import ConfigError
from resnext.model.config import ModelConfig, SegmenterConfig


def require_classifier(config: ModelConfig, what: str) -> None:
    """Refuse a network that gives every pixel a class.

    Args:
        config: The network.
        what: What takes classifiers only, in words.

    Raises:
        ConfigError: It is such a network.
    """
    if isinstance(config, SegmenterConfig):
        raise ConfigError(
            f"{what} takes classifiers, and {config.family} gives every pixel a class; take the "
            "network behind it, such as resnext50_32x4d"
        )
