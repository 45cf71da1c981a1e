"""A run as an object, with its metrics and its network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from resnext.api.given_data import as_path
from resnext.runs.folder import open_run as read_run
from resnext.runs.health import judge_run
from resnext.runs.metrics_log import read_metrics

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from resnext.api.evaluate import EvaluateFlags
    from resnext.api.export import ExportFlags
    from resnext.api.predict import Predictions
    from resnext.data.decode.python_image import ImageInput
    from resnext.data.split import DataSet
    from resnext.evaluation.run import Evaluation
    from resnext.export.options import ExportReport
    from resnext.model.trained import TrainedNetwork
    from resnext.runs.config import TrainConfig
    from resnext.runtimes.spec import Arithmetic


class Run:
    """A training run on disk; changing files are read on demand.

    Example:
        >>> import resnext
        >>> run = resnext.open_run("runs/demo")  # doctest: +SKIP
        >>> run.metrics[-1]["top1_error"], run.problems  # doctest: +SKIP
        >>> run.figures()["losses"]  # doctest: +SKIP

    Attributes:
        folder: The run folder.
        config: All settings, resolved.
    """

    folder: Path
    config: TrainConfig

    def __init__(self, folder: Path, images: DataSet | None = None) -> None:
        """Open a run; programs call `train` or `open_run`.

        Args:
            folder: The run folder.
            images: The data set, if given by a program.

        Raises:
            RunError: The folder is not a run.
            ConfigError: Its settings cannot be read.
        """
        self.folder, self.config = folder, read_run(folder)
        self._images = images
        self._model: TrainedNetwork | None = None

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r})"

    def __fspath__(self) -> str:
        """Return the run folder: a run can be given wherever a path can, as in `load(run)`."""
        return str(self.folder)

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """The metrics of each epoch, one row each, for `pandas.DataFrame`.

        Errors are in percent, `seconds` is the time in training steps; missing values are None.

        Raises:
            RunError: The log cannot be read.
        """
        return self._rows("epoch")

    @property
    def steps(self) -> list[dict[str, Any]]:
        """Loss, learning rate and images/s of about every fiftieth step, one row each.

        Raises:
            RunError: The log cannot be read.
        """
        return self._rows("train")

    @property
    def problems(self) -> dict[str, str]:
        """Problems in training, with descriptions: `useless`, `exploding`, `overfitting`.

        Raises:
            RunError: The log cannot be read.
        """
        return {found.kind: found.text for found in judge_run(self.metrics, self.config)}

    @property
    def model(self) -> TrainedNetwork:
        """The network with the kept weights, on the CPU; loaded once.

        Raises:
            CheckpointError: No epoch has ended yet, or the weights are damaged.
        """
        if self._model is None:
            self._model = self.load()
        return self._model

    def load(self, device: str = "cpu") -> TrainedNetwork:
        """Return a new copy of the network with the kept weights.

        Args:
            device: Device of the network.

        Raises:
            CheckpointError: No epoch has ended yet, or the weights are damaged.
        """
        from resnext.inference.load import load

        return load(self.folder, device)

    def figures(self) -> dict[str, Figure]:
        """Plot the epochs: `losses`, `measures` (errors, or the task's measures), and `lr`.

        Returns:
            Matplotlib figures by name; empty before the first epoch has ended. A notebook displays
            a figure as the last line of a cell, and `savefig` saves it.

        Raises:
            RunError: The log cannot be read.
        """
        from resnext.evaluation.plots import draw_training

        return draw_training(read_metrics(self.folder), self.config.task)

    def evaluate(
        self,
        data: object = None,
        *,
        classes: Sequence[str] | None = None,
        device: str | None = None,
        progress: bool = False,
        **flags: Unpack[EvaluateFlags],
    ) -> Evaluation:
        """Evaluate the network, by default on the run's validation images; see `evaluate`.

        In that case `evaluation.json` and `report.html` of the run are written too, as by `resnext
        evaluate RUN`.

        Raises:
            ResNeXtError: As `evaluate`.
        """
        from resnext.api.evaluate import evaluate_source

        images = self._images if data is None else None
        return evaluate_source(
            self.folder, data, images, flags, classes=classes, device=device, progress=progress
        )

    def predict(
        self,
        images: ImageInput | Iterable[ImageInput],
        *,
        top: int | None = None,
        min_score: float | None = None,
        batch_size: int = 32,
        device: str | None = None,
        precision: Arithmetic | None = None,
        progress: bool = False,
    ) -> Predictions:
        """Predict the classes of images or signals, or find objects in images; see `predict`.

        Raises:
            ResNeXtError: As `predict`.
        """
        from resnext.api.predict import predict

        return predict(
            self.folder if precision is not None else self.model,
            images,
            top=top,
            min_score=min_score,
            batch_size=batch_size,
            device=device,
            precision=precision,
            progress=progress,
        )

    def export(
        self, out: str | Path | None = None, *, progress: bool = False, **flags: Unpack[ExportFlags]
    ) -> ExportReport:
        """Export the network to a file that runs without this package, and compare it with PyTorch.

        Args:
            out: The file; by default `model.onnx`, ... in the run's folder.
            progress: Show the progress of measuring a lower precision on standard error.
            flags: Further options; see `ExportFlags`.

        Raises:
            ConfigError: A flag does not fit, the file exists (`force=True` replaces it), or an
                extra is not installed.
            ExportError: The file's results differ; it is discarded.
        """
        from resnext.api.export import export_source

        return export_source(self.folder, out, flags, progress=progress)

    def report(self, out: str | Path | None = None) -> Path:
        """Evaluate, and write the report: one HTML file.

        Args:
            out: The file; by default `report.html` in the run's folder.

        Returns:
            The file.

        Raises:
            ResNeXtError: As `evaluate`; or the file cannot be written.
        """
        from resnext.evaluation.report import write_report
        from resnext.evaluation.run import REPORT

        evaluation = self.evaluate()
        path = self.folder / REPORT
        return path if out is None else write_report(Path(out), self.folder, evaluation)

    def resume(
        self,
        data: object = None,
        *,
        val: object = None,
        classes: Sequence[str] | None = None,
        progress: bool = False,
    ) -> Run:
        """Resume from the last checkpoint, train to the end, and evaluate.

        Args:
            data: For a run on a dataset, the same dataset; not needed for other runs, or for a run
                started in this process.
            val: The same validation dataset, if there was one.
            classes: The same names, if given.
            progress: Show progress.

        Returns:
            This run.

        Raises:
            DataError: The data are missing, or differ from those the run was started with.
            ResNeXtError: As `train`.
        """
        from resnext.api.train import resume

        images = self._images if data is None else None
        ended = resume(
            self.folder, data, val=val, classes=classes, images=images, progress=progress
        )
        self._images, self._model = ended._images, None
        return self

    def _rows(self, kind: str) -> list[dict[str, Any]]:
        return [
            {name: value for name, value in row.items() if name != "kind"}
            for row in read_metrics(self.folder)
            if row["kind"] == kind
        ]


def open_run(folder: str | Path) -> Run:
    """Open a run folder of `train` or `resnext train`, even during training.

    Args:
        folder: The run folder.

    Raises:
        RunError: The folder is not a run.
        ConfigError: Its settings cannot be read.
    """
    return Run(as_path("folder", folder))
