"""Export for bf16, kept only if accuracy stays within a limit."""

from __future__ import annotations

import tempfile
from pathlib import Path

from resnext.data.config import DataConfig
from resnext.errors import ConfigError
from resnext.evaluation.run import EvaluationOptions
from resnext.export.export import NUM_COMPARED, check_options, compare_file, spec_of, write_file
from resnext.export.network import at_size
from resnext.export.options import ExportOptions, ExportReport
from resnext.export.parity import as_taken, check_parity
from resnext.export.quantised import Quantised, check_loss, measure_error, time_both
from resnext.export.samples import data_samples, sample_batches
from resnext.export.staging import publish, staging
from resnext.extras import needed_by
from resnext.inference.parity import check_bf16
from resnext.model.classifiers import require_classifier
from resnext.model.trained import TrainedNetwork
from resnext.tasks.kinds import task_kind


def export_bf16(
    loaded: TrainedNetwork,
    dest: Path,
    options: ExportOptions,
    data: DataConfig,
    *,
    max_loss: float = 1.0,
    effort: EvaluationOptions | None = None,
) -> ExportReport:
    """Export a network to OpenVINO for inference in bf16; the file holds fp32 weights.

    Args:
        loaded: The network.
        dest: The file.
        options: How to export; the format must be OpenVINO.
        data: The data; the error is measured on its validation split.
        max_loss: Percentage points of top-1 error that bf16 may add.
        effort: Resources for the two evaluations.

    Returns:
        The files, and the changes by bf16: logits, time, error.

    Raises:
        ConfigError: The options do not allow bf16, this CPU has no bf16, or a logit changes by
            more than `BF16_TOLERANCE`; no file is kept.
        ExportError: The error grows by more than `max_loss`; no file is kept.
    """
    require_classifier(loaded.config, "export in bf16")
    if options.to != "openvino":
        raise ConfigError(f"to={options.to!r}: bf16 needs OpenVINO; use to='openvino'")
    check_options(loaded, dest, options)
    _check_processor(dest)
    loaded = at_size(loaded, options.size_px)
    samples = data_samples(data, "val", loaded, NUM_COMPARED)
    spec = spec_of(loaded, options)
    low = spec.replace(precision="bf16")
    with staging(dest) as staged, tempfile.TemporaryDirectory(dir=staged.parent) as folder:
        full = Path(folder) / "fp32.xml"
        write_file(loaded, full, spec)
        check_parity(compare_file(loaded, full, spec, samples), dest)
        write_file(loaded, staged, low)
        parity = compare_file(loaded, staged, low, samples)
        check_bf16(parity, f"{dest}: was not kept")
        before, after = (measure_error(path, data, effort) for path in (full, staged))
        first = as_taken(loaded.card, spec, next(sample_batches(samples, loaded, spec))[:1])
        latency_ms, full_ms = time_both(staged, full, first)
        size = sum(path.stat().st_size for path in (staged, staged.with_suffix(".bin")))
        figure = task_kind(loaded.card.task).measure
        figures = Quantised(
            num_calibration_images=0,
            num_bytes=size,
            fp32_num_bytes=size,
            latency_ms=latency_ms,
            fp32_latency_ms=full_ms,
            measure=figure,
            value=after[figure.key],
            fp32_value=before[figure.key],
            num_images=after["num_images"],
        )
        check_loss(figures, max_loss, f"{dest}: was not kept: bf16", "export in int8")
        paths = publish(staged, dest)
    return ExportReport(paths, low, size, parity, figures.as_dict())


def _check_processor(dest: Path) -> None:
    """Refuse bf16 before anything is written.

    Raises:
        ConfigError: OpenVINO is not installed, or this CPU has no bf16.
    """
    with needed_by("export in bf16"):
        from resnext.runtimes.openvino_runtime import check_bf16

    check_bf16(dest)
