"""Parts of the training loop: loaders and output."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from resnext.data.bad_files import BadFiles
from resnext.data.loading.box_loader import BoxEvalLoader, BoxTrainLoader
from resnext.data.loading.eval_loader import EvalLoader
from resnext.data.loading.train_loader import TrainLoader
from resnext.data.loading.whole_loader import WholeLoader
from resnext.data.signals.loaders import SignalEvalLoader, SignalTrainLoader
from resnext.data.signals.video_loaders import VideoEvalLoader, VideoTrainLoader
from resnext.data.split import DataInfo
from resnext.runs.metrics_log import MetricsLog
from resnext.training.checkpoint_writer import CheckpointWriter
from resnext.training.display import Display
from resnext.training.run_claim import RunClaim


@dataclass(frozen=True)
class Loaders:
    """The images of a run, with facts about them.

    `guess` is the task's measure of a network that has learned nothing, `validation_steps` the
    validation images in units of a training step's images.
    """

    info: DataInfo
    train: TrainLoader | SignalTrainLoader | VideoTrainLoader | BoxTrainLoader
    val: EvalLoader | WholeLoader | SignalEvalLoader | VideoEvalLoader | BoxEvalLoader
    bad_files: BadFiles
    guess: float
    validation_steps: float = 0.0


@dataclass(frozen=True)
class Recorder:
    """The output of metrics and checkpoints; only the first process has a log and a writer.

    `claim` is checked before each write.
    """

    run: Path
    display: Display
    log: MetricsLog | None
    checkpoints: CheckpointWriter | None
    claim: RunClaim
