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
}

__all__ = [
    "Backbone",
    "ModelCard",
    "ResNeXt",
    "ResNeXtConfig",
    "TrainedBackbone",
    "TrainedNetwork",
    "count",
    "create_model",
    "from_pretrained",
    "list_models",
    "load",
    "load_plugin",
    "push_to_hub",
    "save_pretrained",
]

if TYPE_CHECKING:
    from typing import Any

    from resnext.complexity.count import count
    from resnext.hub.push import push_to_hub
    from resnext.hub.save import save_pretrained
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
