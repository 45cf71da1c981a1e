"""`resnext.run_study`: studies in Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack, get_args

from resnext.api.checks import check_choice, check_numbers
from resnext.api.given_data import as_path, open_given
from resnext.api.settings import as_assignments, check_names
from resnext.api.stopped import hand_on
from resnext.api.study_start import named_study, root_of, run_and_report
from resnext.data.config import DataConfig
from resnext.data.sets.parse import parse_data
from resnext.errors import ConfigError
from resnext.model.choices import HEADS, Head
from resnext.model.detector_config import DETECTORS, DetectorHead
from resnext.recipes.study_scale import Choice, Scale
from resnext.studies.analysis.summary import as_dict, summary_lines
from resnext.studies.execution.scheduler import RunOptions
from resnext.studies.study import Study
from resnext.training.display import default_mode
from resnext.training.interrupt import Interrupted

if TYPE_CHECKING:
    from resnext.api.study_start import DoneStudy


class StudyFlags(TypedDict, total=False):
    """Options of `resnext study run` for computing trials."""

    jobs: int
    """Trials to run at once; does not affect results."""
    processes: int
    """Processes per trial, one per GPU; recorded, as it affects results."""
    threads: int
    """CPU threads per process; recorded, as it affects results."""
    cluster: str
    """A Ray cluster: auto, local or an address."""
    halving: bool
    """Stop worse designs early."""


@dataclass(frozen=True)
class StudyResult:
    """The result of a study.

    Attributes:
        folder: Its folder, with `report.html`.
        findings: Everything printed by `resnext study report --json`: errors, differences with
            intervals, rank agreements, problems, ...
        summary: The table of errors and the findings, as text.
    """

    folder: Path
    findings: dict[str, Any]
    summary: str

    @property
    def answer(self) -> str:
        """The answer to the study's question, in one sentence."""
        return str(self.findings["answer"])

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The trials, one row each, for `pandas.DataFrame`; errors are in percent."""
        return list(self.findings["trials"])

    @property
    def report(self) -> Path:
        """The report: one HTML file."""
        return self.folder / "report.html"


def run_study(
    study: str | Path | Study,
    data: str | Path | DataConfig | Sequence[str | Path | DataConfig] = (),
    *,
    scale: Literal["paper", "small"] = "paper",
    recipe: str | None = None,
    head: Head | DetectorHead | None = None,
    seeds: Sequence[int] = (),
    settings: Mapping[str, Any] | None = None,
    root: str | Path | None = None,
    progress: bool = False,
    **flags: Unpack[StudyFlags],
) -> StudyResult:
    """Run the missing trials of a study, and write its report.

    Trials are ordinary runs in separate processes, shared between studies.

    Example:
        >>> import resnext
        >>> found = resnext.run_study(
        ...     "table3", "fashion-mnist", scale="small", seeds=[0, 1, 2]
        ... )  # doctest: +SKIP
        >>> print(found.summary)  # doctest: +SKIP

    Args:
        study: A named study (`resnext study list`), a YAML file, the folder of a study or its name
            below `root`; or a `resnext.studies.study.Study`, which includes the following.
        data: Data sets, as for `--data`; by default the paper's. Dataset objects are not supported,
            because trials open their images themselves.
        scale: The paper's networks and recipe, or the same comparison at a scale for two cores.
        recipe: Recipe of all trials: fast, modern, imagenet or cifar.
        head: Head of all designs: fcn, deeplabv3, unet or fpn for images with masks; retinanet,
            faster_rcnn, mask_rcnn or faster_rcnn_c4 for images with boxes.
        seeds: Each design is trained once per seed.
        settings: Settings of all trials by dotted name, such as `{"schedule.epochs": 20}`.
        root: Folder of trials and reports; by default `studies`, or the parent of a study's folder.
        progress: Show progress on standard error.
        flags: Further options; see `StudyFlags`.

    Raises:
        ConfigError: The study, its data or a setting is wrong.
        RunError: The folder cannot be written.
        KeyboardInterrupt: Ctrl-C; the trials have saved their state.
    """
    check_names(flags, StudyFlags.__annotations__)
    check_choice("scale", scale, get_args(Scale))
    place = as_path("root", root)
    check_numbers("seeds", seeds, 0)
    if head is not None:
        check_choice("head", head, (*HEADS, *DETECTORS))
    changes = as_assignments(settings)
    choice = Choice(scale, _sets(data), tuple(seeds), recipe, changes, head)
    if isinstance(study, Study):
        if choice != Choice():
            raise ConfigError(
                "a Study includes data, scale, recipe, seeds and settings; leave them out, or "
                "change it: study.replace(seeds=(0, 1))"
            )
        opened, name = study, study.name
    else:
        name = str(as_path("study", study))
        opened = named_study(name, choice, place)
    options = RunOptions(mode=default_mode(quiet=not progress), **flags)
    try:
        return _result(run_and_report(opened, root_of(name, place), options))
    except Interrupted as stop:
        hand_on(stop)


def _sets(data: object) -> tuple[DataConfig, ...]:
    if isinstance(data, str | Path | DataConfig):
        data = (data,)
    if not isinstance(data, Sequence):
        raise ConfigError(f"data of type {type(data).__name__}: give names or folders of data sets")
    named = [open_given(one).named for one in data]
    return tuple(one if isinstance(one, DataConfig) else parse_data(str(one)) for one in named)


def _result(done: DoneStudy) -> StudyResult:
    findings = as_dict(done.study, done.rows)
    return StudyResult(done.folder, findings, "\n".join(summary_lines(done.study, done.rows)))
