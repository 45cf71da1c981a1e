"""How the trials of a study suit sets of signals: recipe, size, dimensions and channels."""

from __future__ import annotations

from dataclasses import replace

from resnext.api.signal_start import signal_settings
from resnext.api.train_request import TrainRequest
from resnext.data.config import DataConfig
from resnext.data.set_names import SIGNAL_NAMES
from resnext.data.sets.load import load_data
from resnext.errors import ConfigError
from resnext.recipes.study_scale import Choice, SignalFit


def with_signals(choice: Choice) -> Choice:
    """Return the choices for a study with what its sets of signals decide.

    Raises:
        ConfigError: The sets are of different kinds, or a recipe for images is asked for.
        DataError: A file is not what is accepted.
    """
    return replace(choice, signals=fit_signals(choice.data, choice.recipe))


def fit_signals(sets: tuple[DataConfig, ...], recipe: str | None = None) -> tuple[SignalFit, ...]:
    """Return how trials suit each set of signals; nothing where all sets hold images.

    Args:
        sets: The data sets of a study.
        recipe: The recipe that was asked for.

    Raises:
        ConfigError: The sets are of different kinds, or a recipe for images is asked for.
        DataError: A file is not what is accepted.
    """
    fits = [_fit(data, recipe) for data in sets]
    found = [fit for fit in fits if fit is not None]
    kinds = {None if fit is None else (fit.shape["ndim"], fit.shape["in_channels"]) for fit in fits}
    if found and len(kinds) > 1:
        names = ", ".join(data.label for data in sets)
        raise ConfigError(
            f"the data sets {names} have other dimensions or channels than each other, so no "
            "network suits all; make a study of each, and compare their reports"
        )
    return tuple(found)


def _fit(data: DataConfig, recipe: str | None) -> SignalFit | None:
    if data.name not in SIGNAL_NAMES:
        return None
    settings = signal_settings(TrainRequest(recipe=recipe), data, None)
    if settings is None:  # a file of images
        return None
    info = load_data(data).info
    assert info.signal is not None  # or there were no settings
    shape = {
        "ndim": info.signal.ndim,
        "in_channels": info.signal.in_channels,
        "num_classes": len(info.classes),
    }
    return SignalFit(settings, info.signal.sides, shape)
