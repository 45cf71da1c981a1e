"""ResNeXt: residual networks that aggregate transformations.

Names are imported when they are first used, so that `import resnext` and
`resnext --help` start without torch.
"""

from __future__ import annotations

import importlib

from resnext._version import __version__ as __version__

TYPE_CHECKING = False  # importing `typing` would leave Ctrl-C to Python for some milliseconds more

_HOMES = {
    "Backbone": "resnext.model.backbone",
    "ModelCard": "resnext.model.card",
    "ResNeXt": "resnext.model.network",
    "ResNeXtConfig": "resnext.model.config",
    "TrainedBackbone": "resnext.model.trained",
    "TrainedNetwork": "resnext.model.trained",
    "create_model": "resnext.model.create",
    "list_models": "resnext.model.names",
    "load": "resnext.inference.load",
    "load_plugin": "resnext.plugins",
    "from_pretrained": "resnext.inference.load",
    "save_pretrained": "resnext.hub.save",
    "push_to_hub": "resnext.hub.push",
    "count": "resnext.complexity.count",
    "DesignRow": "resnext.api.design_rows",
    "Evaluation": "resnext.evaluation.run",
    "Prediction": "resnext.inference.files",
    "Run": "resnext.api.run",
    "StudyResult": "resnext.api.study",
    "design": "resnext.api.design",
    "evaluate": "resnext.api.evaluate",
    "open_run": "resnext.api.run",
    "predict": "resnext.api.predict",
    "run_study": "resnext.api.study",
    "train": "resnext.api.train",
}

__all__ = [
    "Backbone",
    "DesignRow",
    "Evaluation",
    "ModelCard",
    "Prediction",
    "ResNeXt",
    "ResNeXtConfig",
    "Run",
    "StudyResult",
    "TrainedBackbone",
    "TrainedNetwork",
    "count",
    "create_model",
    "design",
    "evaluate",
    "from_pretrained",
    "list_models",
    "load",
    "load_plugin",
    "open_run",
    "predict",
    "push_to_hub",
    "run_study",
    "save_pretrained",
    "train",
]

if TYPE_CHECKING:
    from typing import Any

    from resnext.api.design import design
    from resnext.api.design_rows import DesignRow
    from resnext.api.evaluate import evaluate
    from resnext.api.predict import predict
    from resnext.api.run import Run, open_run
    from resnext.api.study import StudyResult, run_study
    from resnext.api.train import train
    from resnext.complexity.count import count
    from resnext.evaluation.run import Evaluation
    from resnext.hub.push import push_to_hub
    from resnext.hub.save import save_pretrained
    from resnext.inference.files import Prediction
    from resnext.inference.load import from_pretrained, load
    from resnext.model.backbone import Backbone
    from resnext.model.card import ModelCard
    from resnext.model.config import ResNeXtConfig
    from resnext.model.create import create_model
    from resnext.model.names import list_models
    from resnext.model.network import ResNeXt
    from resnext.model.trained import TrainedBackbone, TrainedNetwork
    from resnext.plugins import load_plugin


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'resnext' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
