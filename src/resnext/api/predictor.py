"""Opens a network for prediction: by name, or one already loaded."""

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
    """Return the path of a named network, or a loaded network.

    Raises:
        ConfigError: It is neither.
    """
    from resnext.model.trained import TrainedNetwork

    if isinstance(network, TrainedNetwork):
        return network
    if isinstance(network, str | os.PathLike):
        return as_path("model", network)
    raise ConfigError(
        f"a network of type {type(network).__name__}: give a run, a file or a name, or a result "
        "of resnext.load; a bare module has no classes and preprocessing: wrap it in "
        "resnext.TrainedNetwork(module, config, card)"
    )


def open_predictor(
    network: Path | TrainedNetwork,
    device: str | None = None,
    precision: Arithmetic | None = None,
    opened: TrainedNetwork | None = None,
) -> Predictor:
    """Open a network; in bf16, together with the fp32 network for comparison.

    Args:
        network: An argument or a result of `load`.
        device: As `--device`; None means `auto`, and does not move a loaded network.
        precision: Precision of the computation.
        opened: The network, if already loaded in that precision.

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
    """Set a loaded network to evaluation mode within a context."""
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
