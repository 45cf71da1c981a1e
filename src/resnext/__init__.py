"""ResNeXt: residual networks that aggregate transformations.

Names are imported when they are first used, so that `import resnext` and
`resnext --help` start without torch.
"""

from __future__ import annotations

import importlib

TYPE_CHECKING = False  # importing `typing` would leave Ctrl-C to Python for some milliseconds more

__version__ = "0.1.0"

_HOMES = {
    "ResNeXtConfig": "resnext.model.config",
    "create_model": "resnext.model.create",
    "list_models": "resnext.model.names",
    "load": "resnext.weights.load",
    "from_pretrained": "resnext.hub.pretrained",
    "save_pretrained": "resnext.hub.save",
    "push_to_hub": "resnext.hub.push",
    "count": "resnext.complexity.count",
}

__all__ = [
    "ResNeXtConfig",
    "count",
    "create_model",
    "from_pretrained",
    "list_models",
    "load",
    "push_to_hub",
    "save_pretrained",
]

if TYPE_CHECKING:
    from typing import Any

    from resnext.complexity.count import count
    from resnext.hub.pretrained import from_pretrained
    from resnext.hub.push import push_to_hub
    from resnext.hub.save import save_pretrained
    from resnext.model.config import ResNeXtConfig
    from resnext.model.create import create_model
    from resnext.model.names import list_models
    from resnext.weights.load import load


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'resnext' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
