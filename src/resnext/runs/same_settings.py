"""Checks that a run is resumed with the settings it was started with, stored in the checkpoint.

`config.yaml` can be edited by hand. A run resumed with another seed or batch size would match
neither the old nor the new settings.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from resnext.errors import CheckpointError, ConfigError
from resnext.runs.config import TrainConfig
from resnext.runs.folder import CONFIG
from resnext.settings import Settings
from resnext.untrusted.names import shown
from resnext.untrusted.parse import parse_json

_FREE = frozenset({"recipe", "weights", "checkpoint_minutes", "runtime", "data.workers"})
"""Settings without an effect on results, or without one once there is a checkpoint."""

_PLACES = frozenset({"data.name", "data.root", "data.url", "data.cache_gib"})
"""The location of the data; `classes.json` verifies that they are the same."""

_NUM_NAMED = 10


def check_same_settings(run: Path, begun: str, config: TrainConfig) -> None:
    """Compare the settings of a run with those in its checkpoint.

    More epochs are accepted: the run continues with the longer schedule. So are more patience of
    early stopping, or none: the run continues where it stopped.

    Args:
        run: The run folder.
        begun: The settings in the checkpoint, as JSON; empty in those of earlier versions.
        config: The settings now.

    Raises:
        ConfigError: A setting that affects the results has changed.
        CheckpointError: The record in the checkpoint was edited.
    """
    if not begun:
        return
    old = _flat(_parse(run, begun), config)
    new = _flat(config.model_dump(mode="json"), config)
    changed = [
        f"{key} was {shown(old[key])} and is {shown(new[key])}"
        for key in new
        if key in old and old[key] != new[key] and not _may_change(key, old[key], new[key])
    ]
    if changed:
        more = f" and {len(changed) - _NUM_NAMED} more" if len(changed) > _NUM_NAMED else ""
        raise ConfigError(
            f"{run / CONFIG} was changed since the run was started: "
            f"{'; '.join(changed[:_NUM_NAMED])}{more}. A run can only be resumed with its own "
            "settings: restore them, or start a new run with these: resnext train --config "
            f"{run / CONFIG}"
        )


def _may_change(key: str, old: Any, new: Any) -> bool:
    if key == "schedule.epochs":
        return isinstance(old, int) and bool(new > old)
    if key == "early_stopping":  # it only says where to end
        return new is None or old is None or (isinstance(old, int) and bool(new > old))
    return key in _FREE | _PLACES or key.partition(".")[0] in _FREE


def _parse(run: Path, text: str) -> Any:
    try:
        return parse_json(text)
    except ValueError as error:
        raise CheckpointError(f"{run}: the checkpoint's record of the settings {error}") from None


def _flat(values: Any, group: object, prefix: str = "") -> dict[str, Any]:
    """Flatten nested groups of settings to dotted names.

    Only groups are flattened: a setting whose value is a dictionary stays one setting.
    """
    if not isinstance(values, dict) or not isinstance(group, Settings):
        return {prefix.removesuffix("."): values}
    parts = (
        _flat(value, getattr(group, key, None), f"{prefix}{key}.") for key, value in values.items()
    )
    return {key: value for part in parts for key, value in part.items()}
