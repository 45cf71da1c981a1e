"""The README.md of a published network: the Hub's metadata, and a text for people."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from resnext._version import __version__
from resnext.complexity.count import count
from resnext.hub.measured import Measured, measured_errors
from resnext.hub.metadata import metadata_of
from resnext.hub.origin import Origin, origin_of
from resnext.hub.published import Published
from resnext.hub.recipe import main_settings, where_trained
from resnext.hub.usage import usage_of
from resnext.model.config import (
    DetectorConfig,
    ModelConfig,
    ResNeXtConfig,
    SegmenterConfig,
    describe_parts,
)
from resnext.model.signal import noun_of
from resnext.runs.config import TrainConfig
from resnext.runs.folder import read_config
from resnext.tasks.kinds import DEFAULT_TASK, task_kind
from resnext.untrusted.text import markdown_text
from resnext.weights.timm_format import why_not_timm

_MAX_CLASSES = 30
"""If there are more classes, only their number is given."""

_MAX_CHANNELS = 12
"""More statistics of channels than these are in the file only."""

_NOT_SHOWN = ("family", "form", "stage_widths", "zero_init_residual")
"""Settings that the table shows in another form, or that do not matter to users."""


@dataclass(frozen=True)
class CardRequest:
    """What the text says beyond the facts about the network.

    Attributes:
        title: Heading; empty uses the network's name and data.
        address: The network in the examples: OWNER/NAME on the Hub, or a folder.
        is_repository: `address` is a repository on the Hub.
        has_curves: curves.png is next to the text.
    """

    title: str
    address: str
    is_repository: bool
    has_curves: bool


def render_card(published: Published, request: CardRequest) -> str:
    """Write the model card. Unknown facts are left out or listed under limits.

    Args:
        published: The network.
        request: Heading, name and curves.

    Returns:
        Markdown with the Hub's metadata as YAML at its top.
    """
    environment = Environment(
        loader=PackageLoader("resnext", "hub"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown, not HTML
    )
    environment.filters["text"] = _text
    training = None if published.run is None else read_config(published.run)
    kind = task_kind(published.card.task)
    title = request.title or _title(published)
    measured, origin = measured_errors(published), origin_of(training)
    text = environment.get_template("model_card.md.j2").render(
        title=title,
        kind=kind,
        what=kind.network.format(num=f"{published.config.num_classes:,}"),
        is_classifier=kind.name == DEFAULT_TASK,
        version=__version__,
        network=published,
        architecture=_architecture(published),
        cost=count(published.config, published.input_size),
        training=training,
        settings=[] if training is None else main_settings(training),
        place="" if published.run is None else where_trained(published.run),
        measured=measured,
        most_classes=_MAX_CLASSES,
        usage=usage_of(published, request.address, is_repository=request.is_repository),
        why_not_timm=why_not_timm(published.config),
        origin=origin,
        has_curves=request.has_curves,
        noun=noun_of(published.card.signal),
        most_channels=_MAX_CHANNELS,
        limits=_limits(published, training, measured, origin),
    )
    metadata = metadata_of(published, title, measured, origin)
    return f"---\n{metadata}\n---\n\n{text}"


def _title(published: Published) -> str:
    data = published.card.data
    return f"{published.name} for {data}" if data else published.name


def _architecture(published: Published) -> list[tuple[str, str]]:
    """Return the settings of the architecture as names and values."""
    config = published.config
    rows = [("network", published.name)]
    if isinstance(config, ResNeXtConfig):
        rows += [
            ("depth", str(config.depth)),
            ("stage widths", _words(config.stage_widths)),
        ]
    rows += [
        (name.replace("_", " "), _words(value))
        for name, value in _settings(config).items()
        if name not in _NOT_SHOWN
    ]
    return rows


def _settings(config: ModelConfig) -> dict[str, Any]:
    """Return the settings of a network, including those of its backbone."""
    values = config.model_dump()
    return {**values.pop("backbone", {}), **values}


def _limits(
    published: Published,
    training: TrainConfig | None,
    measured: list[Measured],
    origin: Origin,
) -> list[str]:
    """Return what is unknown, and why the figures may not be reliable."""
    card, noun = published.card, noun_of(published.card.signal)
    limits = []
    if not measured:
        limits.append(f"No error is known: these weights were not measured on labelled {noun}.")
    config = published.config
    config = config.backbone if isinstance(config, SegmenterConfig | DetectorConfig) else config
    if isinstance(config, ResNeXtConfig) and config.parts:
        limits.append(
            f"The network needs code from its author: {describe_parts(config)}. "
            "Load that plugin before the weights."
        )
    if training is not None and training.keep == "best":
        limits.append(
            f"The epoch was chosen by the {task_kind(training.task).measure.label} on the "
            f"validation {noun}, which makes that figure a little too good; other {noun} were not "
            "measured."
        )
    if training is not None:
        limits.append("This is one training run with one seed; the spread over seeds is not known.")
    if origin.weights:
        licence = f", which is under {_text(origin.licence)}" if origin.licence else ""
        also = "; it may apply to this network too" if origin.licence else ""
        limits.append(f"The training started from {_text(origin.weights)}{licence}{also}.")
    if not published.is_described:
        limits.append(
            "The weights came without preprocessing settings; size, mean and deviation above are "
            "the usual ones for such a network, and a guess."
        )
    if not card.classes:
        limits.append("The class names are not known; outputs are numbered.")
    if not card.licence:
        limits.append("No licence was stated; ask the publisher before using it.")
    limits.append(
        f"Its performance on other kinds of {noun}, on damaged {noun} and for groups of people "
        "was not measured."
    )
    return limits


def _words(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(part) for part in value)
    if isinstance(value, dict):  # a registered part
        return ", ".join(f"{name} {_words(setting)}" for name, setting in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _text(value: object) -> str:
    """Escape a value from a card or a run, which may be untrusted text, for Markdown."""
    return markdown_text(str(value))


def write_card(path: Path, published: Published, request: CardRequest) -> None:
    """Write the model card to a file."""
    path.write_text(render_card(published, request), encoding="utf-8")
