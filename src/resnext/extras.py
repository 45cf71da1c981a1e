"""Optional packages: which one is missing, and the command that installs it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from resnext.errors import ConfigError

EXTRA_OF = {
    "av": "video",
    "faster_coco_eval": "detection",
    "fastapi": "serve",
    "gradio": "serve",
    "httptools": "serve",
    "nibabel": "volumes",
    "onnx": "export",
    "onnxruntime": "export",
    "onnxscript": "export",
    "openvino": "openvino",
    "optuna": "halving",
    "prometheus_client": "serve",
    "pyarrow": "features",
    "python_multipart": "serve",
    "pytorch_grad_cam": "serve",
    "ray": "cluster",
    "segmentation_models_pytorch": "segmentation",
    "soundfile": "audio",
    "timm": "bench",
    "uvicorn": "serve",
}
"""The extra that installs a package, by its import name."""


def advice(package: str) -> str:
    """Return what to do about a missing package, without a final period."""
    install = f"resnext[{EXTRA_OF[package]}]" if package in EXTRA_OF else package
    return f"the package {package}, which is not installed: pip install '{install}'"


@contextmanager
def needed_by(feature: str) -> Iterator[None]:
    """Turn the import error of an optional package into an error with the install command.

    Args:
        feature: What needs the package, for the message.

    Raises:
        ConfigError: A package of an extra is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRA_OF:
            raise
        raise ConfigError(f"{feature} needs {advice(package)}") from None


def import_for(feature: str, module: str) -> Any:
    """Import a module of an extra.

    Args:
        feature: What needs it, for the message.
        module: The module, also one inside a package.

    Raises:
        ConfigError: It is not installed.
    """
    with needed_by(feature):
        return importlib.import_module(module)
