"""A network opened to predict with: by its name, or one that a program has loaded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from resnext.api.given_data import as_path
from resnext.errors import ConfigError
from resnext.inference.load import load
from resnext.inference.predictor import Predictor
from resnext.runs.runtime import resolve_device

if TYPE_CHECKING:
    from resnext.model.trained import TrainedNetwork
    from resnext.runtimes.spec import Arithmetic


def named(network: object) -> Path | TrainedNetwork:
    """Return the path of a network that is named, or one that was loaded.

    Raises:
        ConfigError: It is neither.
    """
    from resnext.model.trained import TrainedNetwork

    if isinstance(network, TrainedNetwork):
        return network
    if isinstance(network, str | os.PathLike):
        path = as_path("model", network)
        assert path is not None
        return path
    raise ConfigError(
        f"a network of type {type(network).__name__}: give a run, a file or a name, or what "
        "resnext.load returned; a module by itself knows neither its classes nor how it wants its "
        "images: resnext.TrainedNetwork(module, config, card)"
    )


def open_predictor(
    network: Path | TrainedNetwork,
    device: str | None = None,
    precision: Arithmetic | None = None,
    opened: TrainedNetwork | None = None,
) -> Predictor:
    """Open a network; one in bf16 with that in fp32 beside it, to be compared with.

    Args:
        network: What `load` takes, or what it returned.
        device: As `--device`; None is `auto`, and leaves a loaded network where it is.
        precision: Of the arithmetic.
        opened: The network, if it was loaded in that precision already.

    Raises:
        ResNeXtError: It cannot be opened, or is not for images.
    """
    place = (
        resolve_device(device or "auto")
        if isinstance(network, Path) or device is not None
        else None
    )
    reference = None
    if precision == "bf16":
        in_full = load(network, precision="fp32") if isinstance(network, Path) else network
        reference = Predictor(in_full, place)
    if opened is None:
        opened = load(network, precision=precision) if isinstance(network, Path) else network
    return Predictor(opened, place, precision=precision, reference=reference)


@contextmanager
def evaluation_mode(network: object) -> Iterator[None]:
    """Put a loaded network into evaluation mode, and its modules back into theirs."""
    from resnext.model.trained import TrainedNetwork

    modules = list(network.module.modules()) if isinstance(network, TrainedNetwork) else []
    before = [module.training for module in modules]
    if modules:
        modules[0].eval()
    try:
        yield
    finally:
        for module, is_training in zip(modules, before, strict=True):
            module.training = is_training
