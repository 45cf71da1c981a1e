"""The output of `resnext study`: designs with their costs, trial status, verdicts."""

from __future__ import annotations

from collections import Counter
from typing import Any

from rich import box
from rich.table import Table

from resnext.cli.fitting_table import count_text, open_console, print_fitting
from resnext.complexity.cost import Cost
from resnext.complexity.count import count
from resnext.data.set_names import SIGNAL_NAMES
from resnext.data.sets.facts import KNOWN
from resnext.data.sets.load import load_data
from resnext.model.names import name_of
from resnext.studies.records.arithmetic import describe_arithmetic
from resnext.studies.records.provenance import find_mixtures
from resnext.studies.records.results import Row
from resnext.studies.records.trial import plan_trials
from resnext.studies.study import Design, Study
from resnext.untrusted.text import printable

_MAX_DAMAGE = 50


def print_study(study: Study) -> None:
    """Print a study's question, designs with exact costs, settings and number of trials."""
    console = open_console(soft_wrap=True)
    console.print(printable(f"{study.name}: {study.question}"))
    if study.source:
        console.print(printable(f"source: {study.source}"))
    if study.note:
        console.print(printable(study.note))
    print_fitting(console, lambda is_full: _design_table(study, is_full=is_full))
    for settings in study.settings:
        schedule = settings.schedule
        console.print(
            f"{printable(settings.data.label)}: recipe {printable(settings.recipe)}, "
            f"{schedule.epochs} epochs, batch {settings.batch_size}, "
            f"learning rate {settings.optim.lr} per {settings.optim.lr_batch_size} images, "
            f"{schedule.kind}"
        )
    trials = len(plan_trials(study))
    console.print(
        f"{len(study.designs)} designs x {len(study.settings)} data set(s) x "
        f"{len(study.seeds)} seed(s) = {trials} trials"
    )


def _design_table(study: Study, *, is_full: bool) -> Table:
    table = Table(box=box.SIMPLE, collapse_padding=not is_full)
    for title in ("design", "network"):
        table.add_column(title, overflow="fold")
    for title in ("# params.", "FLOPs", "activations", "relative FLOPs"):
        table.add_column(title, justify="right", no_wrap=True)
    costs = [_cost(study, design) for design in study.designs]
    for design, cost in zip(study.designs, costs, strict=True):
        table.add_row(
            printable(design.label),
            name_of(design.model),
            *(
                count_text(figure, is_full=is_full)
                for figure in (cost.parameters, cost.macs, cost.activations)
            ),
            f"{cost.macs / costs[0].macs:.2f}x",
        )
    return table


def _cost(study: Study, design: Design) -> Cost:
    """Count a design's cost on the images of the first data set, if known."""
    data, model = study.settings[0].data, design.model
    if data.name in SIGNAL_NAMES and (signal := load_data(data).info.signal) is not None:
        return count(model, signal.sides)
    if data.name not in KNOWN:
        return count(model, data.image_size_px)
    side, in_channels, num_classes = KNOWN[data.name]
    model = model.replace(in_channels=in_channels, num_classes=num_classes)
    return count(model, data.image_size_px or side)


def study_as_dict(study: Study) -> dict[str, Any]:
    """Return a study with its designs' costs as JSON values."""
    values = study.model_dump(mode="json")
    for design, entry in zip(study.designs, values["designs"], strict=True):
        cost = _cost(study, design)
        entry |= {
            "name": name_of(design.model),
            "parameters": cost.parameters,
            "macs": cost.macs,
            "activations": cost.activations,
        }
    return {**values, "trials": len(plan_trials(study))}


def print_status(study: Study, rows: list[Row]) -> None:
    """Print how trials are computed, the number in each state, and unfinished ones."""
    console = open_console(soft_wrap=True)
    counts = Counter(row.state for row in rows)
    text = ", ".join(f"{number} {state}" for state, number in counts.most_common())
    console.print(f"{len(rows)} trials: {text}")
    for line in [*describe_arithmetic(row.trial for row in rows), *find_mixtures(study, rows)]:
        console.print(f"  {printable(line)}")
    for row in rows:
        if row.state in ("running", "failed") or (row.attempts and row.state != "done"):
            reason = f"  {row.attempts[-1].get('reason', '')}" if row.attempts else ""
            name = f"{row.design.label}, {row.trial.data}, seed {row.trial.seed}"
            console.print(printable(f"  {row.state:<8} {name}{reason}  {row.folder}"))
    damage = [text for row in rows for text in row.damage]
    for text in damage[:_MAX_DAMAGE]:
        console.print(printable(f"  damaged  {text}"))
    if len(damage) > _MAX_DAMAGE:
        console.print(f"  damaged  ... and {len(damage) - _MAX_DAMAGE} more")


def print_verdicts(study: Study, rows: list[Row]) -> None:
    """Print the table of errors and the verdicts."""
    from resnext.studies.analysis.summary import summary_lines

    console = open_console(soft_wrap=True)
    for line in summary_lines(study, rows):
        console.print(line)
