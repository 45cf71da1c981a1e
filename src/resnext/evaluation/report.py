"""The report of a run: one HTML file that needs no other and asks no network for anything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resnext._version import __version__
from resnext.drawing import as_svg
from resnext.errors import RunError
from resnext.evaluation.plots import draw_training
from resnext.evaluation.run_facts import read_facts
from resnext.evaluation.templates import report_templates
from resnext.files import write_whole
from resnext.runs.config import TrainConfig
from resnext.runs.folder import BAD_FILES, CONFIG, ENVIRONMENT, read_if_whole
from resnext.runs.kept_epoch import best_epoch
from resnext.runs.metrics_log import read_metrics
from resnext.tasks.kinds import DEFAULT_TASK, TaskKind, task_kind
from resnext.tasks.measure import as_title
from resnext.tasks.section import ReportInput, Softening
from resnext.untrusted.parse import MAX_YAML_BYTES, read_text

if TYPE_CHECKING:
    from resnext.evaluation.run import Evaluation

_MAX_BAD_FILES = 200


def write_report(path: Path, run: Path, evaluation: Evaluation | None = None) -> Path:
    """Write the report.

    Args:
        path: The file to write.
        run: The run folder, or a weight file, of which no history is known.
        evaluation: What was found; without it the report shows the training only.

    Returns:
        The file.

    Raises:
        RunError: The file cannot be written.
    """
    text = render_report(run, evaluation)
    try:
        write_whole(path, text, is_shared=True)
    except OSError as error:
        raise RunError(
            f"cannot write the report {path}: {error.strerror}; name another file with --report"
        ) from None
    return path


def render_report(run: Path, evaluation: Evaluation | None = None) -> str:
    """Return the report as text; see `write_report`."""
    environment = report_templates("evaluation", "tasks")
    config = run / CONFIG
    rows = read_metrics(run) if run.is_dir() else []
    epochs = [row for row in rows if row["kind"] == "epoch"]
    facts = read_facts(run, epochs, None if evaluation is None else evaluation.figures)
    settings = None if facts is None else facts.config
    task = DEFAULT_TASK if settings is None else settings.task
    return environment.get_template("report.html.j2").render(
        title=run.resolve().name,
        version=__version__,
        facts=facts,
        training=_training(rows, task_kind(task)),
        evaluation=None if evaluation is None else _evaluation(evaluation, settings),
        bad_files=_bad_files(run, evaluation),
        most_bad_files=_MAX_BAD_FILES,
        config=read_text(config, MAX_YAML_BYTES) if config.exists() else None,
        environment=_environment(run),
    )


def _training(rows: Sequence[dict[str, Any]], kind: TaskKind) -> dict[str, Any] | None:
    """Collect the curves and figures of the epochs, if there are any yet."""
    epochs = [row for row in rows if row["kind"] == "epoch"]
    steps = [row for row in rows if row["kind"] == "train"]
    if not epochs:
        return None
    best = best_epoch(epochs, kind.measure)
    figures = {name: as_svg(figure) for name, figure in draw_training(rows, kind.name).items()}
    return {
        "losses": figures["losses"],
        "figures": figures["measures"],
        "plot_title": as_title(kind.plot_label),
        "measure": kind.measure,
        "learning_rate": figures.get("lr"),
        "best": best,
        "best_value": kind.measure.write(best[kind.measure.key]),
        "num_epochs": epochs[-1]["epoch"],
        "images_per_s": steps[-1].get("images_per_s") if steps else None,
    }


def _evaluation(evaluation: Evaluation, config: TrainConfig | None) -> dict[str, Any]:
    """Collect what the evaluation found."""
    target, figures = evaluation.target, evaluation.figures
    given = ReportInput(
        evaluation.result, figures, target.split, target.info, _softening_of(config)
    )
    section = evaluation.task.report(given)
    return {
        "figures": figures,
        "rows": evaluation.task.rows(figures),
        "images": target.images,
        "noun": target.info.noun,
        "signal": target.info.signal,
        "cost": evaluation.cost,
        "num_classes": len(target.info.classes),
        "is_whole": evaluation.task.kind.is_dense or evaluation.task.kind.finds_objects,
        "template": section.template,
        "section": {"figures": figures, **section.values},
    }


def _softening_of(config: TrainConfig | None) -> Softening:
    if config is None:
        return Softening()
    augment = config.augment
    mixing = {"mixup": augment.mixup, "cutmix": augment.cutmix}
    return Softening(config.label_smoothing, mixing)


def _bad_files(run: Path, evaluation: Evaluation | None) -> list[dict[str, str]]:
    """Merge the bad files of training and evaluation."""
    rows = list(evaluation.bad_files) if evaluation is not None else []
    if (run / BAD_FILES).exists():
        rows += [row for row in read_if_whole(run / BAD_FILES, list) or [] if _is_bad_file(row)]
    by_path = {row["path"]: row for row in rows}
    return [by_path[path] for path in sorted(by_path)]


def _is_bad_file(row: object) -> bool:
    return isinstance(row, dict) and all(
        isinstance(row.get(name), str) for name in ("path", "reason")
    )


def _environment(run: Path) -> list[tuple[str, str]]:
    values = read_if_whole(run / ENVIRONMENT, dict) or {}
    return [(key.replace("_", " "), _words(value)) for key, value in values.items()]


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {part}" for key, part in value.items())
    return "unknown" if value is None else str(value)
