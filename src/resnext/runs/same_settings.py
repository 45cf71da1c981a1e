"""A run goes on with the settings it was started with: a checkpoint keeps them to compare with.

`config.yaml` can be edited by hand. A resumed run with another seed or batch size would be
neither the run that was started nor one of the new settings.
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
"""Settings that decide nothing, or nothing once there is a checkpoint."""

_PLACES = frozenset({"data.name", "data.root", "data.url", "data.cache_gib"})
"""Where the data are; `classes.json` tells whether they are the same."""

_NUM_NAMED = 10


def check_same_settings(run: Path, begun: str, config: TrainConfig) -> None:
    """Compare the settings of a run with those that its checkpoint was written with.

    More epochs than before are accepted: the run goes on by the longer schedule. So is more
    patience of early stopping, or none: the run goes on where it stopped.

    Args:
        run: The run folder.
        begun: The settings in the checkpoint, as JSON; empty in one of an earlier version.
        config: The settings now.

    Raises:
        ConfigError: A setting that decides the result has changed.
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
            f"{'; '.join(changed[:_NUM_NAMED])}{more}. A run goes on with its own settings: put "
            f"them back, or start a new run with these: resnext train --config {run / CONFIG}"
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
    """Return nested groups of settings as one, with dotted names.

    Only groups are taken apart: a setting whose value has names of its own is one setting.
    """
    if not isinstance(values, dict) or not isinstance(group, Settings):
        return {prefix.removesuffix("."): values}
    parts = (
        _flat(value, getattr(group, key, None), f"{prefix}{key}.") for key, value in values.items()
    )
    return {key: value for part in parts for key, value in part.items()}
