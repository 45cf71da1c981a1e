"""The report of a run: one HTML file that needs no other and asks no network for anything."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.ticker import EngFormatter

from resnext._version import __version__
from resnext.errors import RunError
from resnext.evaluation import plots
from resnext.evaluation.calibration import explain_calibration
from resnext.evaluation.confusion import top_confusions, worst_classes
from resnext.evaluation.run_facts import read_facts
from resnext.evaluation.thumbnails import make_thumbnails
from resnext.files import write_whole
from resnext.runs.folder import BAD_FILES, CONFIG, ENVIRONMENT, read_if_whole
from resnext.runs.kept_epoch import best_epoch
from resnext.runs.metrics_log import read_metrics
from resnext.untrusted.parse import MAX_YAML_BYTES, read_text
from resnext.untrusted.text import printable_lines

if TYPE_CHECKING:
    from resnext.evaluation.run import Evaluation

_MAX_NAMED_CLASSES = 20
"""With more classes than these the matrix is drawn, and only the worst ones are named."""

_MAX_LISTED_CLASSES = 2_000
"""With more classes the page lists the worst only; `evaluation.json` has them all."""

_MAX_FLAT_NAME_LENGTH = 4
"""Longer class names stand upright above the matrix."""

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
    environment = Environment(
        loader=PackageLoader("resnext", "evaluation"),
        autoescape=True,
        finalize=_only_print,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["short"] = EngFormatter(places=2)  # 25.03 M, 4.23 G
    config = run / CONFIG
    rows = read_metrics(run) if run.is_dir() else []
    epochs = [row for row in rows if row["kind"] == "epoch"]
    facts = read_facts(run, epochs, None if evaluation is None else evaluation.figures)
    bins = None if evaluation is None else evaluation.result.bins
    settings = None if facts is None else facts.config
    return environment.get_template("report.html.j2").render(
        title=run.resolve().name,
        version=__version__,
        facts=facts,
        softened=None if bins is None else explain_calibration(bins, settings),
        training=_training(rows),
        evaluation=None if evaluation is None else _evaluation(evaluation),
        bad_files=_bad_files(run, evaluation),
        most_bad_files=_MAX_BAD_FILES,
        config=read_text(config, MAX_YAML_BYTES) if config.exists() else None,
        environment=_environment(run),
    )


def _training(rows: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """Collect the curves and figures of the epochs, if there are any yet."""
    epochs = [row for row in rows if row["kind"] == "epoch"]
    steps = [row for row in rows if row["kind"] == "train"]
    if not epochs:
        return None
    steps_per_epoch = epochs[-1]["step"] / epochs[-1]["epoch"]
    return {
        "losses": plots.draw_losses(epochs),
        "errors": plots.draw_errors(epochs),
        "learning_rate": plots.draw_learning_rate(steps, steps_per_epoch)
        if steps and steps_per_epoch
        else None,
        "best": best_epoch(epochs),
        "num_epochs": epochs[-1]["epoch"],
        "images_per_s": steps[-1].get("images_per_s") if steps else None,
    }


def _evaluation(evaluation: Evaluation) -> dict[str, Any]:
    """Collect what the evaluation found."""
    result, target = evaluation.result, evaluation.target
    classes = target.info.classes
    confusion_kk = result.confusion_kk
    assert confusion_kk is not None
    assert result.bins is not None
    errors = result.per_class_error
    is_large = len(classes) > _MAX_NAMED_CLASSES
    table = worst_classes(confusion_kk, classes, _MAX_NAMED_CLASSES)
    worst = sorted(errors, key=lambda label: (-errors[label], label))[:_MAX_NAMED_CLASSES]
    by_class = evaluation.figures["per_class"]
    is_listed = is_large and len(by_class) <= _MAX_LISTED_CLASSES
    return {
        "figures": evaluation.figures,
        "images": target.images,
        "cost": evaluation.cost,
        "num_classes": len(classes),
        "is_large": is_large,
        "table": table,
        "upright_names": max(map(len, table.names)) > _MAX_FLAT_NAME_LENGTH,
        "confusions": top_confusions(confusion_kk, classes),
        "picture": plots.draw_confusion(confusion_kk) if is_large else None,
        "calibration": plots.draw_calibration(result.bins),
        "class_errors": [(classes[k], errors[k], by_class[classes[k]]) for k in worst],
        "all_classes": list(by_class.items()) if is_listed else [],
        "error_histogram": plots.draw_class_errors(errors.values()) if is_large else None,
        "thumbnails": make_thumbnails(result.mistakes, target.split, target.info),
    }


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


def _only_print(value: Any) -> Any:
    """Escape what would hide or reorder text in the page; HTML is escaped after it."""
    return printable_lines(value) if type(value) is str else value


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {part}" for key, part in value.items())
    return "unknown" if value is None else str(value)
