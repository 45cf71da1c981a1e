"""Describes the maps of a network: channels, reduction and module.

The interface is timm's, so that code written for its networks works with ours. Nothing here needs
torch.

Source: timm/models/_features.py, `FeatureInfo`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from resnext.errors import ConfigError
from resnext.model.plan import NetworkPlan

Indices = int | Sequence[int]
"""A number of last maps, or indices, where -1 is the last one."""


class FeatureInfo(list[dict[str, Any]]):
    """The maps of a network, each as a dictionary; index 0 is that of the stem, before its pool.

    Each has `num_chs` (channels), `reduction` (input positions per position of the map, along every
    dimension), `module` (the child of the network that returns it) and `index`.

    Example:
        >>> from resnext import create_model
        >>> info = create_model("resnet18", out_indices=(1, 2, 3, 4), output_stride=16).feature_info
        >>> info.channels(), info.reduction()
        ([64, 128, 256, 512], [4, 8, 16, 16])
        >>> info[0]
        {'num_chs': 64, 'reduction': 2, 'module': 'relu', 'index': 0}

    Attributes:
        out_indices: The maps that the methods refer to without an index.
    """

    def __init__(self, maps: Sequence[dict[str, Any]], out_indices: Sequence[int]) -> None:
        super().__init__(maps)
        self.out_indices = tuple(out_indices)

    def channels(self, idx: int | Sequence[int] | None = None) -> Any:
        """Return the channels of all output maps, of the given ones, or of one."""
        return self.get("num_chs", idx)

    def reduction(self, idx: int | Sequence[int] | None = None) -> Any:
        """Return the reduction of maps; `idx` as for `channels`."""
        return self.get("reduction", idx)

    def module_name(self, idx: int | Sequence[int] | None = None) -> Any:
        """Return the module names of maps; `idx` as for `channels`."""
        return self.get("module", idx)

    def get(self, key: str, idx: int | Sequence[int] | None = None) -> Any:
        """Return one entry of all output maps, of the given ones, or of one."""
        if isinstance(idx, int):
            return self[idx][key]
        return [self[index][key] for index in (self.out_indices if idx is None else idx)]

    def get_dicts(
        self, keys: Sequence[str] | None = None, idx: int | Sequence[int] | None = None
    ) -> Any:
        """Return some or all entries of all output maps, of the given ones, or of one."""
        if isinstance(idx, int):
            return {key: self[idx][key] for key in keys or self[idx]}
        indices = self.out_indices if idx is None else idx
        return [{key: self[index][key] for key in keys or self[index]} for index in indices]


def feature_info(plan: NetworkPlan, indices: Indices | None = None) -> FeatureInfo:
    """Describe the maps of a network.

    Args:
        plan: The network.
        indices: Output maps; None means all.

    Raises:
        ConfigError: There is no such map.
    """
    stem = plan.stem
    maps = [_entry(0, stem.out_channels, stem.stride, "relu" if stem.norm else "conv1")]
    reduction = stem.total_stride
    for index, blocks in enumerate(plan.stages, 1):
        reduction *= blocks[0].stride
        maps.append(_entry(index, blocks[-1].out_channels, reduction, f"layer{index}"))
    if plan.final_norm:
        maps[-1]["module"] = "relu"  # what the classifier reads
    return FeatureInfo(maps, take_indices(len(maps), indices))


def take_indices(num_maps: int, indices: Indices | None) -> tuple[int, ...]:
    """Return the chosen map indices in network order, from 0.

    Raises:
        ConfigError: There is no such map, or none is chosen.
    """
    chosen = range(num_maps) if indices is None else indices
    if isinstance(chosen, int):
        chosen = range(num_maps - chosen, num_maps) if 0 < chosen <= num_maps else ()
    known = range(-num_maps, num_maps)
    found = {index % num_maps for index in chosen if isinstance(index, int) and index in known}
    if not found or len(found) < len(chosen):
        raise ConfigError(
            f"out_indices={indices!r}: give different ones of 0 (the stem) to {num_maps - 1} (the "
            f"last stage), or how many of the last maps, such as {num_maps - 1}"
        )
    return tuple(sorted(found))


def take_stages(num_stages: int, stages: Sequence[int] | None) -> list[int]:
    """Return the chosen stages in network order, from 1.

    Raises:
        ConfigError: There is no such stage, or none is chosen.
    """
    known = range(1, num_stages + 1)
    wanted = sorted(set(known if stages is None else stages))
    if not wanted or not set(wanted) <= set(known):
        raise ConfigError(f"stages={stages!r}: give one or more of {', '.join(map(str, known))}")
    return wanted


def _entry(index: int, channels: int, reduction: int, module: str) -> dict[str, Any]:
    return {"num_chs": channels, "reduction": reduction, "module": module, "index": index}
