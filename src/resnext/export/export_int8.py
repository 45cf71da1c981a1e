"""Export in int8, kept only if accuracy stays within a limit."""

from __future__ import annotations

import tempfile
from pathlib import Path

import onnx

from resnext.data.config import DataConfig
from resnext.data.sets.load import load_data
from resnext.errors import ConfigError
from resnext.evaluation.run import EvaluationOptions
from resnext.export.export import (
    NUM_COMPARED,
    check_options,
    compare_file,
    spec_of,
    write_file,
)
from resnext.export.network import at_size
from resnext.export.options import ExportOptions, ExportReport
from resnext.export.parity import as_taken, check_parity
from resnext.export.quantised import Quantised, check_loss, measure_error, time_both
from resnext.export.samples import data_samples, sample_batches, takes_samples
from resnext.export.staging import publish, staging
from resnext.extras import needed_by
from resnext.model.classifiers import refuse_detector
from resnext.model.trained import TrainedNetwork
from resnext.runtimes.spec import describe
from resnext.tasks.kinds import check_network, check_targets, task_kind


def export_int8(
    loaded: TrainedNetwork,
    dest: Path,
    options: ExportOptions,
    data: DataConfig,
    *,
    num_calibration_images: int = 256,
    max_loss: float = 1.0,
    effort: EvaluationOptions | None = None,
) -> ExportReport:
    """Export a network to ONNX with weights and activations in 8 bits.

    Args:
        loaded: The network.
        dest: The file.
        options: How to export; the format must be ONNX and the input pixels.
        data: The data: the training split calibrates, the validation split measures.
        num_calibration_images: Number of images for calibration.
        max_loss: Percentage points by which int8 may worsen the measure of the network's task, such
            as the top-1 error or the mIoU.
        effort: Resources for the two evaluations.

    Returns:
        The file, and the changes by int8: size, time, error.

    Raises:
        ConfigError: The options do not allow int8, or the data are not of the network's task.
        ExportError: The measure worsens by more than `max_loss`; no file is kept.
    """
    refuse_detector(loaded.config, "export in int8")
    if options.to != "onnx" or options.input == "normalised":
        raise ConfigError(
            f"to={options.to!r}, input={options.input!r}: int8 needs to='onnx' with "
            "input='pixels', 'image' or 'values'"
        )
    check_options(loaded, dest, options)
    loaded = at_size(loaded, options.size_px)
    if not takes_samples(loaded):
        raise ConfigError("int8 is calibrated on images or signals, but the network takes neither")
    kind = task_kind(loaded.card.task)
    check_network(kind, loaded.config)
    info = load_data(data).info
    check_targets(kind, info.name, info.targets)
    calibration = data_samples(data, "train", loaded, num_calibration_images)
    samples = data_samples(data, "val", loaded, NUM_COMPARED)
    if calibration.name == samples.name and effort is not None and effort.note is not None:
        effort.note(
            f"the activations are calibrated, and the loss is measured, on the same images "
            f"({samples.name}), so the loss may look too small; a train/ and a val/ split avoid it"
        )
    spec = spec_of(loaded, options)
    with needed_by("export in int8"):
        from resnext.export.int8 import quantise
        from resnext.export.write_onnx import save_onnx
    with staging(dest) as staged, tempfile.TemporaryDirectory(dir=staged.parent) as folder:
        full = Path(folder) / "fp32.onnx"
        write_file(loaded, full, spec)
        check_parity(compare_file(loaded, full, spec, None), dest)
        batches = sample_batches(calibration, loaded, spec)
        num_used = quantise(full, staged, (as_taken(loaded.card, spec, one) for one in batches))
        spec = spec.replace(precision="int8")
        before = measure_error(full, data, effort)
        save_onnx(onnx.load(staged), staged, describe(loaded.config, loaded.card, spec))
        after = measure_error(staged, data, effort)
        first = as_taken(loaded.card, spec, next(sample_batches(calibration, loaded, spec))[:1])
        latency_ms, full_ms = time_both(staged, full, first)
        figure = kind.measure
        figures = Quantised(
            num_calibration_images=num_used,
            num_bytes=staged.stat().st_size,
            fp32_num_bytes=full.stat().st_size,
            latency_ms=latency_ms,
            fp32_latency_ms=full_ms,
            measure=figure,
            value=after[figure.key],
            fp32_value=before[figure.key],
            num_images=after["num_images"],
        )
        what = f"{dest}: was not kept: int8"
        check_loss(figures, max_loss, what, "calibrate on more images (--calibrate N)")
        measured = {name: after[name] for name in (figure.key, "loss")}
        card = loaded.card.replace(metrics={**loaded.card.metrics, **measured})
        save_onnx(onnx.load(staged), staged, describe(loaded.config, card, spec))
        parity = compare_file(loaded, staged, spec, samples)
        paths = publish(staged, dest)
    return ExportReport(paths, spec, figures.num_bytes, parity, figures.as_dict())
