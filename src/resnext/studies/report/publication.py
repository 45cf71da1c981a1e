"""A study's figures and tables as files for a paper: PDF, SVG and LaTeX."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib.figure

from resnext.drawing import paper_style
from resnext.errors import ConfigError, RunError
from resnext.files import write_whole
from resnext.studies.analysis.design_time import DesignTime
from resnext.studies.analysis.statistics import measures_of
from resnext.studies.analysis.summary import summarise_study
from resnext.studies.records.results import Row
from resnext.studies.report.figures import draw_figures, draw_time_figure
from resnext.studies.report.latex import latex_tables
from resnext.studies.study import Study

_METADATA: dict[str, dict[str, None]] = {
    # without dates, so that the same figures give the same files
    "pdf": {"CreationDate": None},
    "svg": {"Date": None},
}
_MAX_NAME = 80


@dataclass(frozen=True)
class PaperFile:
    """A file for a paper.

    Attributes:
        content: What it holds.
        caption: What it shows; empty for a table, which has its own.
    """

    content: bytes | str
    caption: str = ""


def check_folder(folder: Path) -> None:
    """Check, before any work, that a path can be a folder.

    Raises:
        ConfigError: The path is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"--figures {folder} is a file; give a folder")


def make_files(
    study: Study, rows: Sequence[Row], times: Sequence[DesignTime]
) -> dict[str, PaperFile]:
    """Draw the figures at column width, without titles, and write the tables.

    Args:
        study: The study.
        rows: All of its rows.
        times: Measured times of its designs, if any.

    Returns:
        The files by name.
    """
    found: dict[str, PaperFile] = {}
    measures = [str(measure) for measure in measures_of(study)]
    is_single = len(measures) == 1  # then it need not be in every name
    with paper_style():
        figures = draw_figures(study, rows)
        time_figure = draw_time_figure(study, rows, times)
        for figure in [*figures, *([time_figure] if time_figure else [])]:
            kind = figure.kind.removeprefix(f"{measures[0]}-") if is_single else figure.kind
            stem = _free_stem(found, f"{study.name}-{kind}", "pdf")
            for ending in _METADATA:
                content = _saved(figure.drawing, ending)
                found[f"{stem}.{ending}"] = PaperFile(content, figure.caption)
    for measure, text in latex_tables(study, rows, summarise_study(study, rows)).items():
        kind = "table" if is_single else f"{measure}-table"
        stem = _free_stem(found, f"{study.name}-{kind}", "tex")
        found[f"{stem}.tex"] = PaperFile(text.replace(f"tab:{study.name}", f"tab:{stem}"))
    return found


def write_files(files: Mapping[str, PaperFile], folder: Path, *, force: bool) -> list[Path]:
    """Write files into a folder; create it if it does not exist.

    Args:
        files: The files by name.
        folder: The folder.
        force: Replace existing files.

    Raises:
        ConfigError: A file exists and `force` is not set; nothing is written.
        RunError: A file cannot be written.
    """
    check_folder(folder)
    paths = [folder / name for name in files]
    taken = [path for path in paths if path.exists()]
    if taken and not force:
        raise ConfigError(f"{taken[0]} exists; choose another folder or add --force")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, file in zip(paths, files.values(), strict=True):
            write_whole(path, file.content, is_shared=True)
    except OSError as error:
        raise RunError(
            f"cannot write the figures into {folder}: {error.strerror}; free disk space, or "
            "choose another folder"
        ) from None
    return paths


def _saved(drawing: matplotlib.figure.Figure, ending: str) -> bytes:
    file = io.BytesIO()
    drawing.savefig(file, format=ending, metadata=_METADATA[ending])
    return file.getvalue()


def _free_stem(found: Mapping[str, PaperFile], text: str, ending: str) -> str:
    """Return an ASCII file name that LaTeX accepts, numbered if already used."""
    stem = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_MAX_NAME].rstrip("-")
    number, free = 1, stem
    while f"{free}.{ending}" in found:
        number += 1
        free = f"{stem}-{number}"
    return free
