"""Chooses published weights for `--pretrained`. Nothing here needs torch.

Among the files of a network, or of all networks that suit the images and the machine, files with
more classes come first because their features are more general, then those with the lowest
published error. A file for the exact classes of the data comes before all others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from resnext.complexity.count import count, default_side
from resnext.errors import ConfigError, LicenceError
from resnext.model.names import parse_name
from resnext.weights.catalogue import entries
from resnext.weights.entry import WeightsEntry

MAX_SMALL_PX = 40
"""Images up to this side suit weights trained on 32-pixel images."""

_MAX_SIDE_PX = 224  # in training; published figures are also measured at more
_CPU_MACS, _GPU_MACS = 2.5e9, 6e9
_IMAGES_AT_ONCE = 32
_TENSORS = 5  # weights, gradient, two moments of AdamW, average
_FLOAT_BYTES = 4
_NUM_NAMED = 4


@dataclass(frozen=True)
class Need:
    """Requirements for pretrained weights.

    Attributes:
        network: Only weights of this network, by its canonical name; None allows any.
        side_px: Typical short side of the images; None if unknown.
        has_gpu: Whether training uses a GPU.
        memory_bytes: Memory of the device; None if unknown.
        data: Name of a known data set; weights for its classes come first.
        accept_licence: Include weights that may not be used commercially.
    """

    network: str | None = None
    side_px: int | None = None
    has_gpu: bool = False
    memory_bytes: int | None = None
    data: str = ""
    accept_licence: bool = False

    @property
    def is_small(self) -> bool:
        """Whether the images are as small as CIFAR's."""
        return self.side_px is not None and self.side_px <= MAX_SMALL_PX


def rank(need: Need) -> tuple[WeightsEntry, ...]:
    """Return the suitable published weights, best first.

    With a network: its files. Without: files for such images, of networks with at most 2.5 G
    multiply-adds per image on a CPU, or 6 G on a GPU for photos.

    Raises:
        ConfigError: There are none for this network, or none that fits in memory.
        LicenceError: All of them forbid commercial use, and the licence was not accepted.
    """
    found = _classifiers() if need.network is None else _of_network(need.network)
    if need.network is None:
        found = tuple(entry for entry in found if _suits(entry, need))
    allowed = tuple(e for e in found if need.accept_licence or not e.is_non_commercial)
    if not allowed:
        raise LicenceError(
            f"all published weights of {need.network} forbid commercial use "
            f"({found[0].licence}). If your use is allowed, add --accept-licence"
        )
    fitting = tuple(entry for entry in allowed if _fits(entry, need))
    if not fitting:
        raise ConfigError(_too_large(min(map(training_bytes, allowed)), need))
    return tuple(sorted(fitting, key=lambda entry: _order(entry, need)))


def _classifiers() -> tuple[WeightsEntry, ...]:
    return tuple(entry for entry in entries() if entry.task == "classification")


def training_bytes(entry: WeightsEntry) -> int:
    """Estimate the memory of training on batches of 32 images, in bytes."""
    cost = count(entry.network, _side(entry))
    tensors = _TENSORS * _FLOAT_BYTES * cost.parameters
    return tensors + _IMAGES_AT_ONCE * cost.training_activation_bytes


def _side(entry: WeightsEntry) -> int:
    return min(entry.image_size_px, _MAX_SIDE_PX)


def _suits(entry: WeightsEntry, need: Need) -> bool:
    if (entry.image_size_px <= MAX_SMALL_PX) != need.is_small:
        return False
    largest = _GPU_MACS if need.has_gpu and not need.is_small else _CPU_MACS
    return count(entry.network, _side(entry)).macs <= largest


def _fits(entry: WeightsEntry, need: Need) -> bool:
    return need.memory_bytes is None or training_bytes(entry) <= need.memory_bytes


def _order(entry: WeightsEntry, need: Need) -> tuple[bool, int, float]:
    error = math.inf if entry.top1_error is None else entry.top1_error
    return entry.classes != need.data, -entry.num_classes, error


def _of_network(network: str) -> tuple[WeightsEntry, ...]:
    found = tuple(entry for entry in _classifiers() if entry.network == network)
    if not found:
        near = ", ".join(_nearest(network))
        raise ConfigError(
            f"there are no published weights for {network}; the closest networks with weights "
            f"are {near}: give one as --model, or leave out --model"
        )
    return found


def _nearest(network: str) -> list[str]:
    """Return networks with weights: same depth first, then closest in size."""
    wanted = math.log(count(network).parameters)
    stem = default_side(parse_name(network))
    known = {e.network for e in _classifiers() if default_side(parse_name(e.network)) == stem}
    distance = {name: abs(math.log(count(name).parameters) - wanted) for name in known}
    depth = network.partition("_")[0]
    nearest = sorted(known, key=lambda name: (distance[name], name))
    return sorted(nearest, key=lambda name: name.partition("_")[0] != depth)[:_NUM_NAMED]


def _too_large(least: int, need: Need) -> str:
    assert need.memory_bytes is not None
    have, wanted = need.memory_bytes / 2**30, least / 2**30
    return (
        f"fine-tuning {need.network or 'published weights'} needs about {wanted:.1f} GiB of "
        f"memory, but {have:.1f} GiB are available; choose a smaller network with --model, or "
        "give the weights with --weights and lower --batch-size"
    )
