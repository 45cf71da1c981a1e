"""What takes classifiers only says so. Needs no torch."""

from __future__ import annotations

from resnext.errors import ConfigError
from resnext.model.config import DetectorConfig, ModelConfig, SegmenterConfig


def require_classifier(config: ModelConfig, what: str) -> None:
    """Refuse a network that gives every pixel a class, or finds objects.

    Args:
        config: The network.
        what: What takes classifiers only, in words.

    Raises:
        ConfigError: It is such a network.
    """
    if isinstance(config, SegmenterConfig | DetectorConfig):
        raise ConfigError(
            f"{what} takes classifiers, and {config.family} {describe_other(config)}; take the "
            "network behind it, such as resnext50_32x4d"
        )


def refuse_detector(config: ModelConfig, what: str) -> None:
    """Refuse a network that finds objects.

    Args:
        config: The network.
        what: What cannot use one, in words.

    Raises:
        ConfigError: It is such a network.
    """
    if isinstance(config, DetectorConfig):
        raise ConfigError(
            f"{what} takes classifiers and networks for pixels, and {config.family} finds objects; "
            "docs/detection.md says what such networks can be used for"
        )


def describe_other(config: SegmenterConfig | DetectorConfig) -> str:
    """Say what a network does that is no classifier."""
    return "finds objects" if isinstance(config, DetectorConfig) else "gives every pixel a class"
