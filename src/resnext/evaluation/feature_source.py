"""A frozen network and the images to embed, both splits of a data set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch

from resnext.data.bad_files import BadFiles
from resnext.data.config import DataConfig, ViewConfig, default_workers
from resnext.data.loading.batch import Batch
from resnext.data.loading.config import LoaderConfig
from resnext.data.loading.eval_loader import EvalLoader
from resnext.data.prepare.views import view_of_card
from resnext.data.sets.load import load_data
from resnext.data.signals.video_loaders import signal_eval_loader
from resnext.data.split import DataInfo, Split
from resnext.errors import ConfigError
from resnext.evaluation.features import Embedder, FeatureBatch, extract
from resnext.evaluation.fit_signals import as_encoded, as_in_training, with_one_clip
from resnext.evaluation.fit_tables import as_run_reads
from resnext.evaluation.run import EvaluationOptions
from resnext.evaluation.target import fit_images
from resnext.inference.load import load
from resnext.model.classifiers import require_classifier
from resnext.runs.folder import CONFIG, read_config

SplitName = Literal["train", "val"]

_IMAGES_PER_BATCH, _CLIPS_PER_BATCH = 128, 8


@dataclass(frozen=True)
class FeatureRequest:
    """The requested features and images.

    Attributes:
        data: The data set; None uses the run's own.
        stage: See `Embedder`.
        limit: Maximum images of each split, selected by a hash, in order.
    """

    data: DataConfig | None = None
    stage: int | None = None
    limit: int | None = None


class FeatureSource:
    """A frozen network and a data set, whose features can be read in batches.

    Attributes:
        model: The network.
        info: The classes of the data set, and the preprocessing of the network.
        data: The requested data set.
        view: The one crop of each image.
        splits: The images.
    """

    def __init__(
        self, run: Path, request: FeatureRequest, device: torch.device, effort: EvaluationOptions
    ) -> None:
        """Load the network and find the images.

        Args:
            run: A run folder or a weight file.
            request: The requested features and images.
            device: Device of the network.
            effort: Batch size, workers and progress.

        Raises:
            ConfigError: The stage, the channels or the data set do not fit.
            DataError: The data set is missing or damaged.
            CheckpointError: The weights are damaged or missing.
        """
        self.model = load(run)
        require_classifier(self.model.config, "a table of features")
        self._embedder = Embedder(self.model.move_to(device), request.stage)
        self.data, view = _find_data(run, request)
        loaded = load_data(as_in_training(self.data, self.model.card.signal))
        loaded.info.require_classes("a table of features")
        self.info: DataInfo = fit_images(loaded.info, loaded.train, self.model)
        self.view = view_of_card(view, self.model.card)
        known = self.model.card.signal
        self.splits: dict[SplitName, Split] = {
            "train": as_encoded(loaded.train, known),
            "val": as_encoded(loaded.val, known),
        }
        for name, split in self.splits.items():
            if request.limit is not None and request.limit < len(split):
                self.splits[name] = split.sample(request.limit)
        if effort.note is not None:
            num_train, num_val = (len(self.splits[name]) for name in ("train", "val"))
            effort.note(
                f"{self.info.noun} of {self.info.name}: {num_train:,} for training, "
                f"{num_val:,} for validation"
            )
        self._device, self._effort = device, effort
        self._bad_files = {name: BadFiles(len(split)) for name, split in self.splits.items()}

    @property
    def bad_files(self) -> list[dict[str, str]]:
        """Paths of unreadable images so far, with reasons; they have no features."""
        return [row for bad in self._bad_files.values() for row in bad.rows]

    def read(self, name: SplitName) -> Iterator[FeatureBatch]:
        """Yield the features of a split, in the order of its images.

        Raises:
            DataError: Too many files are bad.
            CheckpointError: The network's features are not finite.
        """
        effort, workers = self._effort, self._effort.workers
        workers = self.data.workers if workers is None else workers
        loading = LoaderConfig(
            batch_size=effort.batch_size or _IMAGES_PER_BATCH,
            device=self._device,
            workers=default_workers() if workers is None else workers,
        )
        split, bad_files = self.splits[name], self._bad_files[name]
        loader: Iterable[Batch]
        if self.info.signal is not None:
            if self.info.signal.video is not None:
                loading = replace(loading, batch_size=effort.batch_size or _CLIPS_PER_BATCH)
            loader = signal_eval_loader(split, with_one_clip(self.info.signal), loading)
        else:
            loader = EvalLoader(split, self.info, self.view, loading, bad_files)
        for batch in extract(self._embedder, loader):
            yield batch
            if effort.progress is not None:
                effort.progress(len(batch.indices_b))

    def describe(self) -> dict[str, Any]:
        """Return the architecture, the card and the data set as JSON values."""
        return {
            "config": self.model.config.model_dump(mode="json"),
            "card": self.model.card.model_dump(mode="json"),
            "data": self.data.model_dump(mode="json"),
            "view": self.view.model_dump(mode="json"),
        }


def _find_data(run: Path, request: FeatureRequest) -> tuple[DataConfig, ViewConfig]:
    """Return the requested data set, or the run's own, and the crop of its images."""
    is_run = (run / CONFIG).exists()
    if request.data is not None:
        own = read_config(run).data if is_run else None
        return as_run_reads(request.data, own), ViewConfig()
    if not is_run:
        raise ConfigError(
            f"{run} is not a run folder with its settings, so its data set is unknown; give one "
            "after it: digits, cifar10:FOLDER, or a folder of class folders"
        )
    config = read_config(run)
    return config.data, config.view.replace(ten_crop=False, flip=False)
