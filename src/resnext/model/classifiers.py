"""A check for features that only support classifiers. Needs no torch."""

from __future__ import annotations

from resnext.errors import ConfigError
from resnext.model.config import DetectorConfig, ModelConfig, SegmenterConfig


def require_classifier(config: ModelConfig, what: str) -> None:
    """Refuse a network that gives every pixel a class, or finds objects.

    Args:
        config: The network.
        what: Name of the feature.

    Raises:
        ConfigError: The network gives every pixel a class, or finds objects.
    """
    if isinstance(config, SegmenterConfig | DetectorConfig):
        raise ConfigError(
            f"{what} only supports classifiers, but {config.family} {describe_other(config)}; "
            "use its backbone, such as resnext50_32x4d"
        )


def refuse_detector(config: ModelConfig, what: str) -> None:
    """Refuse a network that finds objects.

    Args:
        config: The network.
        what: Name of the feature.

    Raises:
        ConfigError: It is such a network.
    """
    if isinstance(config, DetectorConfig):
        raise ConfigError(
            f"{what} does not support detectors, and {config.family} finds objects; see "
            "docs/detection.md for what detectors can be used for"
        )


def describe_other(config: SegmenterConfig | DetectorConfig) -> str:
    """Say what a network does that is no classifier."""
    return "finds objects" if isinstance(config, DetectorConfig) else "gives every pixel a class"
