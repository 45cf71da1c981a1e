"""The file that a designed network is downloaded as, for `resnext train --config`."""

from __future__ import annotations

import base64

import yaml

from resnext.model.config import ResNeXtConfig
from resnext.model.names import name_of


def config_text(config: ResNeXtConfig) -> str:
    """Return a network as the settings of a training run, all others at their defaults."""
    settings = {"model": config.model_dump(mode="json")}
    return (
        f"# {name_of(config)}; train it on your images, for {config.num_classes} classes:\n"
        "#   resnext train --config FILE --data FOLDER\n"
        f"{yaml.safe_dump(settings, sort_keys=False)}"
    )


def download_link(config: ResNeXtConfig) -> str:
    """Return a link that holds the file, so that nothing need be kept for whoever asks."""
    content = base64.b64encode(config_text(config).encode()).decode("ascii")
    name = f"{name_of(config)}.yaml"
    return (
        f'<a class="download" download="{name}" href="data:text/yaml;base64,{content}">'
        f"Download {name}</a>"
    )
