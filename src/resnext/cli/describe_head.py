"""The head that `describe` puts on a network, and the cost of a network with one by part."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from resnext.errors import ConfigError
from resnext.model.choices import Head
from resnext.model.config import DetectorConfig, SegmenterConfig
from resnext.model.detector_config import DetectorHead
from resnext.model.detector_names import WORDS
from resnext.model.names import config_from
from resnext.weights.catalogue import find_entry

if TYPE_CHECKING:
    from resnext.complexity.cost import Cost, StageCost
    from resnext.model.config import ModelConfig

_HEADS: dict[str, tuple[str, ...]] = {
    "segmentation": get_args(Head),
    "detection": get_args(DetectorHead),
}
_DEFAULTS = {"segmentation": "deeplabv3", "detection": "retinanet"}


def with_head(name: str, task: str, head: str | None, *, aux_head: bool, is_file: bool) -> str:
    """Return a network's name with the head that it gets.

    Args:
        name: The network, published weights of it, or a file.
        task: What it is for.
        head: The head; None is the usual one of the task.
        aux_head: It shall have a second head.
        is_file: It is a file, which has its head.

    Raises:
        ConfigError: Head and task do not go together, or the network has a head.
    """
    if head is not None and head not in _HEADS.get(task, ()):
        wanted = next(task for task, heads in _HEADS.items() if head in heads)
        raise ConfigError(f"--head {head} goes with --task {wanted}; add it")
    network = name if is_file or "." not in name else find_entry(name).network
    config = None if is_file else config_from(network)
    has_head = is_file or isinstance(config, SegmenterConfig | DetectorConfig)
    if aux_head and not (task == "segmentation" or is_file or isinstance(config, SegmenterConfig)):
        raise ConfigError("--aux-head goes with --task segmentation; add it")
    if head is not None and has_head:
        raise ConfigError(
            f"--head {head}: {name} is given with its head; name the network behind it, such as "
            "resnext50_32x4d"
        )
    if task not in _HEADS or has_head:
        return name
    chosen = head or _DEFAULTS[task]
    return f"{WORDS.get(chosen, chosen)}_{network}"


def parts_of(config: ModelConfig, cost: Cost) -> tuple[StageCost, ...]:
    """Return the cost of backbone and heads; nothing of a classifier."""
    from resnext.complexity import detector, segmenter

    if isinstance(config, SegmenterConfig):
        return segmenter.count_parts(config, cost)
    if isinstance(config, DetectorConfig):
        return detector.count_parts(cost)
    return ()
