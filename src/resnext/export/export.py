"""Writes a trained network as a file for other runtimes, and keeps it only if its results match."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import torch

from resnext.errors import ConfigError
from resnext.export.graph import build_graph
from resnext.export.images import noise, sample_photos
from resnext.export.network import at_size, simplify
from resnext.export.options import ExportOptions, ExportReport
from resnext.export.parity import check_parity, compare, compare_objects
from resnext.export.samples import SampleSource, sample_batches, takes_samples
from resnext.export.signals import check_signal_options, noise_signals
from resnext.export.staging import publish, staging
from resnext.extras import needed_by
from resnext.inference.parity import Parity
from resnext.inference.preprocessor import takes_images
from resnext.model.config import DetectorConfig, ModelConfig, ResNeXtConfig, SegmenterConfig
from resnext.model.trained import TrainedNetwork
from resnext.runtimes.open import SUFFIXES, open_exported
from resnext.runtimes.spec import FLOAT_INPUTS, ExportSpec, Format, describe

NUM_COMPARED = 32
_DEFAULT_OPSET = 20  # torch's
_UNLIKE_SIDES = (67, 101)  # pixels of an example, chosen so that no size is taken for a constant
_NUM_DENSE = 8  # whole images; each has many thousands of classified pixels
SUFFIX: dict[Format, str] = {kind: suffix for suffix, kind in SUFFIXES.items()}


def export_model(
    loaded: TrainedNetwork,
    dest: Path,
    options: ExportOptions | None = None,
    samples: SampleSource | None = None,
) -> ExportReport:
    """Export a network.

    Args:
        loaded: The network; see `resnext.inference.load.load`.
        dest: The file, with the extension of its format. An existing file is replaced once the
            new one is complete and has been compared with PyTorch.
        options: How to export.
        samples: Real images or signals for the comparison; by default windows of two photos, and
            noise for signals.

    Returns:
        The files, and how closely they match PyTorch.

    Raises:
        ConfigError: The options do not fit the network, or a package is missing.
        ExportError: The results differ, or the file cannot be written; no file is kept.
    """
    options = options or ExportOptions()
    check_options(loaded, dest, options)
    loaded = at_size(loaded, options.size_px)
    spec = spec_of(loaded, options)
    with staging(dest) as staged:
        write_file(loaded, staged, spec)
        parity = compare_file(loaded, staged, spec, samples)
        check_parity(parity, dest)
        paths = publish(staged, dest)
    size = sum(path.stat().st_size for path in paths)
    return ExportReport(paths, spec, size, parity)


def spec_of(loaded: TrainedNetwork, options: ExportOptions) -> ExportSpec:
    """Return the input of the graph; see `at_size` for a size other than the card's."""
    is_onnx = options.to == "onnx"
    return ExportSpec(
        format=options.to,
        input=options.input or ("pixels" if loaded.card.signal is None else "values"),
        size_px=loaded.card.image_size_px,
        # Images with masks have different sizes, so a fixed size must be requested.
        dynamic_size=options.dynamic_size
        or isinstance(loaded.config, DetectorConfig)
        or (isinstance(loaded.config, SegmenterConfig) and options.size_px is None),
        opset=(options.opset or _DEFAULT_OPSET) if is_onnx else options.opset,
    )


def write_file(loaded: TrainedNetwork, path: Path, spec: ExportSpec) -> None:
    """Write a network, without a comparison.

    Raises:
        ConfigError: A package is missing.
    """
    if isinstance(loaded.config, DetectorConfig):
        _write_detector(loaded, loaded.config, path, spec)
        return
    graph = build_graph(simplify(loaded, spec.format), loaded.card, spec.input, spec.size_px)
    description = describe(loaded.config, loaded.card, spec)
    with needed_by(f"export to {spec.format}"):
        from resnext.export.write import WRITERS

        WRITERS[spec.format](graph, _example(loaded, spec), path, spec, description)


def _write_detector(
    loaded: TrainedNetwork, config: DetectorConfig, path: Path, spec: ExportSpec
) -> None:
    network, description = simplify(loaded, spec.format), describe(config, loaded.card, spec)
    with needed_by(f"export of a detector to {spec.format}"):
        from resnext.export.detectors.sides import take_sides
        from resnext.export.detectors.trace import trace_detector
        from resnext.export.write import save_openvino
        from resnext.export.write_onnx import save_onnx

        model = trace_detector(network, config, spec)
        if spec.format == "openvino":
            save_openvino(model, path, description, take_sides)
        else:
            save_onnx(model, path, description)


def compare_file(
    loaded: TrainedNetwork, path: Path, spec: ExportSpec, samples: SampleSource | None
) -> Parity:
    """Compare a file with the loaded network in PyTorch."""
    network = loaded.module.cpu().eval()
    if spec.input == "image":
        network = build_graph(network, loaded.card, spec.input, spec.size_px)
    exported = open_exported(path)
    if not takes_samples(loaded):
        batches = [noise(loaded, spec.size_px, NUM_COMPARED)]
        return compare(network, exported, batches, "noise, since it takes no images")
    is_dense = isinstance(loaded.config, SegmenterConfig | DetectorConfig)
    num = _NUM_DENSE if is_dense else NUM_COMPARED
    source = samples or _usual_samples(loaded, num)
    some = islice(sample_batches(source, loaded, spec), num)
    if isinstance(loaded.config, DetectorConfig):
        return compare_objects(network, exported, some, source.name)
    return compare(network, exported, some, source.name)


def _usual_samples(loaded: TrainedNetwork, num: int) -> SampleSource:
    """Return what to compare on where no data set is known."""
    if loaded.card.signal is not None:
        return noise_signals(loaded.card.signal, num)
    return sample_photos(loaded.config.in_channels, num)


def _example(loaded: TrainedNetwork, spec: ExportSpec) -> torch.Tensor:
    """Create an input for tracing, with unequal sides so that none is taken for a constant."""
    size_px, signal = spec.size_px, loaded.card.signal
    if signal is not None:
        return torch.zeros(2, signal.in_channels, *signal.sides)
    if spec.input == "image":
        return torch.zeros(1, 2 * size_px + 3, 3 * size_px + 5, loaded.config.in_channels).byte()
    pixels = noise(loaded, size_px, 2)
    if isinstance(loaded.config, SegmenterConfig) and spec.dynamic_size:
        pixels = noise(loaded, max(_UNLIKE_SIDES), 2)[:, : _UNLIKE_SIDES[0], : _UNLIKE_SIDES[1]]
        pixels = pixels.contiguous()  # torch.export guards against other strides
    return pixels if spec.input not in FLOAT_INPUTS else pixels.movedim(-1, 1).float().contiguous()


def check_options(loaded: TrainedNetwork, dest: Path, options: ExportOptions) -> None:
    """Check the options against the network and the file name.

    Raises:
        ConfigError: They do not fit.
    """
    _check_detector(loaded.config, options)
    check_signal_options(loaded.card, options)
    is_dense = isinstance(loaded.config, SegmenterConfig)
    if is_dense and options.input == "image":
        raise ConfigError(
            "input='image': a segmentation network takes images at their own size, without a crop; "
            "use input='pixels', which takes any size"
        )
    check_format(loaded.config, options.to)
    suffix = SUFFIX[options.to]
    if dest.suffix != suffix:
        raise ConfigError(f"{dest}: the name of a file for {options.to} must end in {suffix}")
    if options.input == "image" and not takes_images(loaded.config):
        raise ConfigError(
            "input='image': the network does not take image files; use input='normalised'"
        )


def _check_detector(config: ModelConfig, options: ExportOptions) -> None:
    """Refuse options that a detector does not support.

    Raises:
        ConfigError: One of them is given.
    """
    if not isinstance(config, DetectorConfig):
        return
    if options.to not in ("onnx", "openvino"):
        raise ConfigError(
            f"to={options.to!r}: detectors are exported to onnx or openvino; use one of them, or "
            "load the weights in PyTorch"
        )
    if options.input not in (None, "pixels"):
        raise ConfigError(
            f"input={options.input!r}: a detector takes uint8 pixels of any size and resizes them "
            "itself; leave out the input"
        )
    if options.size_px is not None:
        raise ConfigError(
            f"size_px={options.size_px}: a detector takes images of any size and resizes them to a "
            f"short side of {config.min_size_px} pixels; leave out the size"
        )


def check_format(config: ModelConfig, to: Format) -> None:
    """Refuse TorchScript for networks for segmentation or text.

    Raises:
        ConfigError: It is asked for; such networks compute with sizes or look up tokens, and
            TorchScript files that do so are not opened.
    """
    if isinstance(config, SegmenterConfig) and to == "torchscript":
        raise ConfigError(
            "to='torchscript': segmentation networks are exported to onnx, openvino or pt2; use "
            "one of them"
        )
    if isinstance(config, ResNeXtConfig) and config.embedding is not None and to == "torchscript":
        raise ConfigError(
            "to='torchscript': networks for text are exported to onnx, openvino or pt2; use one of "
            "them"
        )
