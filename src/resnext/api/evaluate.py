"""`resnext.evaluate`: evaluation in Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from resnext.api.evaluate_request import EvaluateRequest, build_protocol, is_kept_in_run
from resnext.api.given_data import as_path, open_given
from resnext.api.guest import kept_kernels
from resnext.api.predictor import evaluation_mode, named
from resnext.api.settings import check_names
from resnext.data.sets.choose_split import SplitChoice
from resnext.evaluation.run import Evaluation, EvaluationOptions, measure, write_results
from resnext.inference.load import load
from resnext.model.trained import TrainedNetwork
from resnext.progress import show_progress, tell
from resnext.runs.config import RuntimeConfig
from resnext.runs.runtime import open_runtime

if TYPE_CHECKING:
    from torch.utils.data import DataLoader, Dataset

    from resnext.api.run import Run
    from resnext.data.config import DataConfig
    from resnext.data.python_split import MapDataset
    from resnext.data.split import DataSet


class EvaluateFlags(TypedDict, total=False):
    """Options of `resnext evaluate`."""

    split: SplitChoice
    """Split of the data set: val, test, train or all."""
    size: int
    """Side of the crop in pixels; by default the training size."""
    resize: int
    """Short side to which files are resized before the crop, in pixels."""
    ten_crop: bool
    """Average over crops of the corners and the centre, each also mirrored."""
    flip: bool
    """Average over the image and its mirror image."""
    real: str | Path
    """Reassessed labels of ImageNet (ReaL): the official real.json."""
    imagenet_v2: bool
    """Whether the data set is an ImageNet-V2 folder."""
    all_classes: bool
    """Predict among all classes of the network, even if the data set has fewer."""
    batch_size: int
    """Batch size of crops; by default 128."""
    workers: int
    """Number of processes that decode files; by default 0 for a dataset."""


def evaluate(
    model: str | Path | TrainedNetwork | Run,
    data: str | Path | DataConfig | Dataset[Any] | MapDataset | DataLoader[Any] | None = None,
    *,
    classes: Sequence[str] | None = None,
    device: str | None = None,
    progress: bool = False,
    **flags: Unpack[EvaluateFlags],
) -> Evaluation:
    """Evaluate a trained network: errors, loss, calibration, confusion.

    Example:
        >>> import resnext
        >>> found = resnext.evaluate("runs/demo", "digits")  # doctest: +SKIP
        >>> found.figures["top1_error"], found.rows  # doctest: +SKIP

    Args:
        model: A run, a weight file, an exported file, or a name from `resnext weights list`, as
            string or path; or a result of `load`, whose training mode is restored.
        data: The images, as for `train`; by default the validation images of a run. Folders without
            splits and datasets are evaluated completely.
        classes: Names of a dataset's classes; by default `data.classes`, or the network's.
        device: auto, cpu, cuda, cuda:N or mps; by default auto, or that of the network. A loaded
            network is moved to it.
        progress: Show progress on standard error.
        flags: Further options; see `EvaluateFlags`.

    Returns:
        `figures` has all metrics by name, errors in percent; `rows` those of each class;
        `bad_files` the unreadable images. If a run repeats its own validation, `evaluation.json`
        and `report.html` are written to its folder, as by the command.

    Raises:
        ConfigError: A flag is unknown or wrong, or the data do not fit the network.
        DataError: The images are missing, damaged or of other classes.
        CheckpointError: The weights are missing or damaged.
        RunError: The run's folder cannot be written.
    """
    from resnext.api.run import Run

    if isinstance(model, Run):
        return model.evaluate(data, classes=classes, device=device, progress=progress, **flags)
    return evaluate_source(
        named(model), data, None, flags, classes=classes, device=device, progress=progress
    )


def evaluate_source(
    source: Path | TrainedNetwork,
    data: object,
    images: DataSet | None,
    flags: Mapping[str, Any],
    *,
    classes: Sequence[str] | None,
    device: str | None,
    progress: bool,
) -> Evaluation:
    """Evaluate; see `evaluate`.

    Args:
        source: A network, or its name or path.
        data: The requested images, or None.
        images: Images of a run on a dataset, if available.
        flags: Options of the command.
        classes: Names of the classes of a dataset.
        device: Device to use.
        progress: Show progress.
    """
    check_names(flags, EvaluateFlags.__annotations__)
    given = open_given(data, None, classes)
    values = {**flags, "real": as_path("real", flags.get("real"))}
    if given.dataset is not None:
        values["workers"] = flags.get("workers", given.workers or 0)
    protocol = build_protocol(EvaluateRequest(given.named, **values))
    if device is None:
        device = _device_of(source)
    runtime_config = RuntimeConfig(device=device, precision="fp32")
    with (
        kept_kernels(),
        open_runtime(runtime_config) as runtime,
        evaluation_mode(source),
        show_progress(quiet=not (progress and runtime.is_main)) as advance,
    ):
        note = tell if progress and runtime.is_main else None
        effort = EvaluationOptions(values.get("batch_size"), values.get("workers"), advance, note)
        opened: Path | TrainedNetwork = source
        if given.dataset is not None:
            opened = load(source) if isinstance(source, Path) else source
            images = _images(given.dataset, classes, opened)
        evaluation = measure(opened, protocol, runtime, effort, images)
        is_kept = isinstance(source, Path) and is_kept_in_run(source, protocol)
        if is_kept and isinstance(source, Path) and runtime.is_main:
            write_results(source, evaluation)
    return evaluation


def _images(dataset: Any, classes: Sequence[str] | None, network: TrainedNetwork) -> DataSet:
    from resnext.data.sets.python_set import python_images

    return python_images(dataset, classes, network.classes)


def _device_of(source: Path | TrainedNetwork) -> str:
    """Return the device of a loaded network, otherwise `auto`."""
    if isinstance(source, TrainedNetwork):
        for tensor in source.module.parameters():
            return str(tensor.device)
        return "cpu"
    return "auto"
