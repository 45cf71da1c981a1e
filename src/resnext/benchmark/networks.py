"""Opens the networks that the user names."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import torch

from resnext.benchmark.contestant import RuntimeName
from resnext.complexity.count import count, default_side
from resnext.errors import ConfigError
from resnext.inference.load import load
from resnext.model.card import ModelCard
from resnext.model.classifiers import refuse_detector
from resnext.model.config import ModelConfig, ResNeXtConfig, SegmenterConfig
from resnext.model.create import create_model
from resnext.model.names import config_from, is_name, name_of, parse_name
from resnext.model.signal import SignalInput
from resnext.model.trained import TrainedNetwork
from resnext.runtimes.exported import Exported
from resnext.runtimes.open import is_exported, open_exported
from resnext.tasks.kinds import DEFAULT_TASK

_RUNTIME_OF = {"onnx": "onnxruntime"}  # other formats have the names of their runtimes


@dataclass(frozen=True)
class Network:
    """A network in the race.

    Attributes:
        label: The name that the user gave.
        config: Its architecture.
        size_px: Side of its images.
        top1_error: Measured error in percent, if known.
        loaded: Its weights; None for an exported file.
        exported: The exported file, if it is one.
    """

    label: str
    config: ModelConfig
    size_px: int
    top1_error: float | None
    loaded: TrainedNetwork | None = None
    exported: Exported | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Channels and sides of one image, or of one signal."""
        signal = self._signal
        if signal is not None:
            return (self.config.in_channels, *signal.sides)
        ndim = self.config.ndim if isinstance(self.config, ResNeXtConfig) else 2
        return (self.config.in_channels, *(self.size_px,) * ndim)

    @property
    def _signal(self) -> SignalInput | None:
        one = self.exported or self.loaded
        return None if one is None else one.card.signal

    @property
    def macs(self) -> int:
        """Multiply-adds of one image."""
        return count(self.config, self.shape).macs

    def runtimes(self, wanted: tuple[RuntimeName, ...]) -> tuple[str, ...]:
        """Return its runtimes: for an exported file, only that of its format."""
        if self.exported is None:
            return wanted
        kind = self.exported.spec.format
        return (_RUNTIME_OF.get(kind, kind),)

    def name_in_libraries(self) -> str | None:
        """Return the name that libraries may use for this architecture, or None."""
        if isinstance(self.config, SegmenterConfig):
            return None  # their networks return several maps by name
        name = name_of(self.config)
        free = {"num_classes": self.config.num_classes, "in_channels": self.config.in_channels}
        return name if parse_name(name).replace(**free) == self.config else None


def open_network(name: str, size_px: int | None) -> Network:
    """Find a network.

    Args:
        name: A name such as resnext50_32x4d, which gets random weights; a run, a weight file,
            or a name of the catalogue; or a file that `resnext export` wrote.
        size_px: Side of the images; None uses the network's default.

    Raises:
        CheckpointError: A file is missing or damaged.
        ConfigError: Nothing has this name, or an exported file only accepts its own size.
    """
    path = Path(name)
    if is_exported(path):
        exported = open_exported(path)
        refuse_detector(exported.config, "benchmark")
        return _exported(name, exported, size_px)
    if {"/", os.sep} & set(name) or "." in name or (path.is_dir() and not is_name(name)):
        loaded = load(path)
        refuse_detector(loaded.config, "benchmark")
        error, signal = loaded.card.metrics.get("top1_error"), loaded.card.signal
        if signal is not None and size_px not in (None, signal.size):
            raise ConfigError(
                f"size={size_px}: {name} takes a {signal.kind} of {signal.shape}; leave out --size"
            )
        size_px = size_px or loaded.card.image_size_px
        return Network(name, loaded.config, size_px, error, loaded)
    config = config_from(name)
    refuse_detector(config, "benchmark")
    size_px = size_px or default_side(config)
    return Network(name, config, size_px, None, random_network(config, size_px))


def _exported(name: str, exported: Exported, size_px: int | None) -> Network:
    spec = exported.spec
    if size_px not in (None, spec.size_px) and not spec.dynamic_size:
        raise ConfigError(
            f"size={size_px}: {name} only accepts {spec.size_px} px; export it with "
            "--dynamic-size, or leave out --size"
        )
    error = exported.card.metrics.get("top1_error")
    return Network(name, exported.config, size_px or spec.size_px, error, exported=exported)


def random_network(config: ModelConfig, size_px: int) -> TrainedNetwork:
    """Build a network with fixed random weights, without affecting the global generator."""
    channels = config.in_channels
    task = "segmentation" if isinstance(config, SegmenterConfig) else DEFAULT_TASK
    statistics = {"mean": (0.5,) * channels, "std": (0.25,) * channels}
    card = ModelCard(image_size_px=size_px, task=task, **statistics)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return TrainedNetwork(create_model(config).eval(), config, card)
