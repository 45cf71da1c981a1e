"""`resnext data check`: shows a data set as training sees it, with warnings."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Annotated

import tyro

from resnext.cli.arguments import option
from resnext.data.boxes.prefix import is_box_set
from resnext.data.sets.parse import parse_data
from resnext.errors import ConfigError
from resnext.runs.config import TrainConfig
from resnext.settings import override_all


@dataclass(frozen=True)
class DataCheck:
    """Show a data set as training sees it: classes, splits, sizes and warnings."""

    data: Annotated[tyro.conf.Positional[str], option("DATA")]
    """As for `resnext train`: a folder, a table, or the name of a data set."""
    set: Annotated[tuple[str, ...], option("KEY=VALUE ...")] = ()
    """Settings of the data, such as data.val_fraction=0.2."""
    json: bool = False
    """Print the result as JSON."""


def check_data(arguments: DataCheck) -> int:
    """Print the result.

    Returns:
        The exit status: 1 if there are warnings.

    Raises:
        ResNeXtError: The data set is missing, or nothing can be trained on it.
    """
    if is_box_set(arguments.data):
        return _check_boxes(arguments)
    settings = override_all(TrainConfig(data=parse_data(arguments.data)), arguments.set)

    from resnext.data.sets.load import load_data
    from resnext.data.sets.summary import summarise
    from resnext.data.sets.summary_lines import summary_lines
    from resnext.terminal import create_console

    summary = summarise(load_data(settings.data), settings.data.label)
    if arguments.json:
        guess = None
        if summary.guess is not None:
            guess = dict(zip(("class", "val_error"), summary.guess, strict=True))
        found = {"guess": guess, "advice": summary.advice, "warnings": summary.warnings}
        signal = None if summary.signal is None else summary.signal.as_figures()
        print(json.dumps({**asdict(summary), "signal": signal, **found}))
    else:
        console = create_console()
        for heading, text in summary_lines(summary):
            console.print(f"{heading:<9} {text}", soft_wrap=True)
    return 1 if summary.warnings else 0


def _check_boxes(arguments: DataCheck) -> int:
    """Print what was found in a data set of boxes."""
    from resnext.data.boxes.read import load_boxes
    from resnext.data.boxes.summary import summarise_boxes, summary_lines

    if arguments.set:
        raise ConfigError(f"--set {arguments.set[0]}: boxes have no settings; leave it out")
    summary = summarise_boxes(load_boxes(arguments.data))
    if arguments.json:
        print(json.dumps(asdict(summary)))
    else:
        print("\n".join(summary_lines(summary)))
    return 1 if summary.num_wrong else 0
