"""The flags of each action of `resnext study`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from resnext.cli.arguments import option


@dataclass(frozen=True)
class StudyList:
    """List the named studies."""

    json: bool = False
    """Print them as JSON."""


@dataclass(frozen=True)
class StudyShow:
    """Show a study's designs and what they cost."""

    name: Annotated[tyro.conf.Positional[str], option("NAME")] = ""
    """A study of the paper, a YAML file, the folder of a study, or its name below --root."""
    scale: Annotated[Literal["paper", "small"], option("paper|small", "paper")] = "paper"
    """The paper's networks and recipe, or the same comparison for two cores."""
    data: Annotated[tuple[str, ...], option("DATA ...", "the paper's")] = ()
    """Data sets: digits, fashion-mnist, cifar10, imagenet:DIR, or a folder of class folders."""
    recipe: Annotated[str | None, option("RECIPE", "the paper's, or fast")] = None
    """Recipe of all trials: fast, modern, imagenet or cifar."""
    seeds: Annotated[tuple[int, ...], option("N ...", "three, or the paper's number")] = ()
    """Each design is trained once with each seed."""
    set: Annotated[tuple[str, ...], option("KEY=VALUE ...")] = ()
    """Settings of all trials, such as schedule.epochs=20 data.num_train=20000."""
    json: bool = False
    """Print the figures as JSON."""


@dataclass(frozen=True)
class StudyStatus(StudyShow):
    """Tell how far the trials of a study are."""

    root: Annotated[Path | None, option("FOLDER", "studies, or the parent of NAME")] = None
    """Where trials and reports are kept; a shared disk for several machines."""


@dataclass(frozen=True)
class StudyRun(StudyStatus):
    """Run what is missing of a study, and write its report."""

    jobs: Annotated[int | None, option("N", "cores / threads, or what the cluster has")] = None
    """Trials at once; it changes no figure."""
    processes: Annotated[int | None, option("N", "as the study was begun, or 1")] = None
    """Processes of one trial, one for each GPU (DDP); recorded, since it changes the figures."""
    threads: Annotated[int | None, option("N", "as the study was begun, or 1")] = None
    """CPU threads of one process; recorded, since it changes the figures."""
    cluster: Annotated[str | None, option("auto|local|ADDRESS")] = None
    """Run on a Ray cluster, or with Ray on this machine; all machines must share the disk of
    --root."""
    halving: bool = False
    """Stop the worse designs early (successive halving)."""
    quiet: bool = False
    """Print nothing but errors."""


@dataclass(frozen=True)
class StudyReport(StudyStatus):
    """Write the report of a study's finished trials."""

    time: bool = False
    """First measure a training step and an inference of each design here."""
    figures: Annotated[Path | None, option("FOLDER")] = None
    """Also write the figures as PDF and SVG and the errors as LaTeX tables, for a paper."""
    force: bool = False
    """Replace files of the same names in the folder of --figures."""
    quiet: bool = False
    """Print nothing but errors."""


ACTIONS: dict[str, type] = {
    "list": StudyList,
    "show": StudyShow,
    "run": StudyRun,
    "status": StudyStatus,
    "report": StudyReport,
}
