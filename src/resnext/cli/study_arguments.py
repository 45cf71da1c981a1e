"""The flags of each action of `resnext study`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from resnext.cli.arguments import option
from resnext.model.choices import HEADS, Head
from resnext.model.detector_config import DETECTORS, DetectorHead


@dataclass(frozen=True)
class StudyList:
    """List the named studies."""

    json: bool = False
    """Print them as JSON."""


@dataclass(frozen=True)
class StudyShow:
    """Show a study's designs and their cost."""

    name: Annotated[tyro.conf.Positional[str], option("NAME")] = ""
    """A named study, a YAML file, the folder of a study, or its name below --root."""
    scale: Annotated[Literal["paper", "small"], option("paper|small", "paper")] = "paper"
    """The paper's networks and recipe (paper), or the same comparison at a scale for two cores
    (small)."""
    data: Annotated[tuple[str, ...], option("DATA ...", "the paper's")] = ()
    """Data sets, as for `train`: digits, imagenet:DIR, a folder of class folders, masks:DIR,
    coco:DIR, series:FILE, audio:DIR, text:FILE, video:DIR."""
    head: Annotated[
        Head | DetectorHead | None,
        option("|".join([*HEADS, *DETECTORS]), "deeplabv3 or retinanet"),
    ] = None
    """For images with masks or boxes: the head of all designs."""
    recipe: Annotated[str | None, option("RECIPE", "the paper's, fast, or that of the data")] = None
    """Recipe of all trials: fast, modern, imagenet or cifar."""
    seeds: Annotated[tuple[int, ...], option("N ...", "three, five, or the paper's number")] = ()
    """Seeds; each design is trained once per seed."""
    set: Annotated[tuple[str, ...], option("KEY=VALUE ...")] = ()
    """Settings for all trials, such as schedule.epochs=20 data.num_train=20000."""
    json: bool = False
    """Print the result as JSON."""


@dataclass(frozen=True)
class StudyStatus(StudyShow):
    """Show the status of a study's trials."""

    root: Annotated[Path | None, option("FOLDER", "studies, or the parent of NAME")] = None
    """Folder for trials and reports; on a shared disk for several machines."""


@dataclass(frozen=True)
class StudyRun(StudyStatus):
    """Run the missing trials of a study, and write its report."""

    jobs: Annotated[int | None, option("N", "cores / threads, or cluster capacity")] = None
    """Trials to run at once; does not affect results."""
    processes: Annotated[int | None, option("N", "as the study was started, or 1")] = None
    """Processes per trial, one per GPU (DDP); recorded, as it affects results."""
    threads: Annotated[int | None, option("N", "as the study was started, or 1")] = None
    """CPU threads per process; recorded, as it affects results."""
    cluster: Annotated[str | None, option("auto|local|ADDRESS")] = None
    """Run on a Ray cluster, or with Ray on this machine; all machines must share --root."""
    halving: bool = False
    """Stop worse designs early (successive halving)."""
    quiet: bool = False
    """Print only errors."""


@dataclass(frozen=True)
class StudyReport(StudyStatus):
    """Write the report of a study's finished trials."""

    time: bool = False
    """First time a training step and an inference of each design on this machine."""
    figures: Annotated[Path | None, option("FOLDER")] = None
    """Also write figures as PDF and SVG and errors as LaTeX tables, for a paper."""
    force: bool = False
    """Replace existing files in the folder of --figures."""
    quiet: bool = False
    """Print only errors."""


ACTIONS: dict[str, type] = {
    "list": StudyList,
    "show": StudyShow,
    "run": StudyRun,
    "status": StudyStatus,
    "report": StudyReport,
}
