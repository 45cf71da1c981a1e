"""The settings file of a designed network, to download and pass to `resnext train --config`."""

from __future__ import annotations

import base64

import yaml

from resnext.model.config import ResNeXtConfig
from resnext.model.names import name_of


def config_text(config: ResNeXtConfig) -> str:
    """Return the settings of a training run with this network, all others at their defaults."""
    settings = {"model": config.model_dump(mode="json")}
    return (
        f"# {name_of(config)} for {config.num_classes} classes. Train it on your images:\n"
        "#   resnext train --config FILE --data FOLDER\n"
        f"{yaml.safe_dump(settings, sort_keys=False)}"
    )


def download_link(config: ResNeXtConfig) -> str:
    """Return a link that contains the file, so that the server need not store it."""
    content = base64.b64encode(config_text(config).encode()).decode("ascii")
    name = f"{name_of(config)}.yaml"
    return (
        f'<a class="download" download="{name}" href="data:text/yaml;base64,{content}">'
        f"Download {name}</a>"
    )
