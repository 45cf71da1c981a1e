"""Predictions for the signals in files, prepared as in training.

Legend: b signals, c channels, x the sides, k classes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import count, islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from resnext.class_lists import readable
from resnext.data.decode.audio import AudioFile, read_clip
from resnext.data.sets.audio.decode import fit_clip, in_threads
from resnext.data.sets.nifti import is_nifti, read_nifti
from resnext.data.sets.npz import NpzFile
from resnext.data.sets.series.read import read_one_file
from resnext.data.sets.volumes import MAX_VOXELS, as_volumes
from resnext.data.signals.loaders import normalise_signals
from resnext.data.signals.prepare import prepare_series
from resnext.errors import ConfigError, DataError
from resnext.inference.files import Prediction
from resnext.inference.signal_files import find_signals, refuse_folder
from resnext.model.signal import SignalInput
from resnext.model.trained import TrainedNetwork
from resnext.tasks.answer import Answer
from resnext.tasks.kinds import answer_type

Named = tuple[Path, torch.Tensor]
"""A signal, c x the sides, and its name: its file and number."""


class SignalPredictor:
    """A network for signals, with everything needed to prepare its input and read its answer.

    Attributes:
        signal: How its signals are prepared.
        classes: Readable names of its outputs.
        answers: The type of its answers.
    """

    precision = "fp32"

    def __init__(self, network: TrainedNetwork, device: torch.device | None = None) -> None:
        """Prepare a network.

        Raises:
            ConfigError: It does not take signals.
        """
        signal = network.card.signal
        if signal is None:
            raise ConfigError("this network does not take signals: its card describes none")
        self.signal: SignalInput = signal
        self.classes = tuple(readable(name) for name in network.classes)
        self.answers = answer_type(network.card.task)
        self._network = network
        self._device = device or torch.device("cpu")
        self._module = network.module.to(self._device)

    def logits(self, signals_bcx: torch.Tensor) -> npt.NDArray[np.float32]:
        """Run signals through the network.

        Args:
            signals_bcx: Prepared signals as in a split, not yet normalised by channel.

        Returns:
            b x k.
        """
        with torch.inference_mode():
            normal_bcx = normalise_signals(signals_bcx.to(self._device), self.signal)
            logits_bk: torch.Tensor = self._module(normal_bcx.contiguous())
        logits: npt.NDArray[np.float32] = logits_bk.float().cpu().numpy()
        return logits

    def answer(self, outputs: npt.NDArray[np.float32], top: int) -> Answer:
        """Turn the network's output for one signal into an answer; see `Predictor.answer`."""
        return self.answers.read(outputs, self.classes, self._network.card, top)

    def read(self, path: Path) -> Iterator[Named]:
        """Read the signals of a file, in order.

        Raises:
            DataError: Its format is not accepted, or its signals do not have the size and channels
                of the network.
        """
        refuse_folder(path, self.signal.kind)
        if self.signal.sound is not None:
            return ((one, self.clip(one)) for one in (path,))
        return self._read_series(path) if self.signal.kind == "series" else self._read_volumes(path)

    def clip(self, source: AudioFile) -> torch.Tensor:
        """Read a clip of audio: int16, c x samples.

        Raises:
            DataError: It cannot be read, or does not have the network's channels.
        """
        sound, channels = self.signal.sound, self.signal.in_channels
        assert sound is not None
        clip_ct = read_clip(source, sound.rate_hz, is_mono=channels == 1)
        if len(clip_ct) != channels:
            raise DataError(f"has {len(clip_ct)} channel(s), the network takes {channels}")
        return torch.from_numpy(fit_clip(clip_ct, self.signal.size))

    def _read_series(self, path: Path) -> Iterator[Named]:
        signal = self.signal
        splits = read_one_file(path, signal.columns, is_labelled=False)
        for raw in splits.values():
            for number, series in enumerate(raw.series):
                if len(series) != signal.in_channels:
                    raise DataError(
                        f"{raw.lines[number]}: {len(series)} channel(s), the network takes "
                        f"{signal.in_channels}"
                    )
                values = prepare_series(series, signal.size, signal.fit, signal.normalise)
                yield path.parent / f"{raw.source}[{number}]", torch.from_numpy(values)

    def _read_volumes(self, path: Path) -> Iterator[Named]:
        if is_nifti(path.name):
            cube = read_nifti(path, self.signal.size)
            if len(cube) != self.signal.in_channels:
                raise DataError(
                    f"{len(cube)} channel(s), the network takes {self.signal.in_channels}"
                )
            yield path, cube
            return
        file = NpzFile(path)
        names = [name for name in file.shapes if name == "images" or name.endswith("_images")]
        if not names:
            raise DataError("no array of volumes: name it images, or test_images as in MedMNIST")
        for name in names:
            volumes_nx = as_volumes(file.array(name, MAX_VOXELS), path, name).movedim(-1, 1)
            shape = tuple(volumes_nx.shape[1:])
            wanted = (self.signal.in_channels, *(self.signal.size,) * self.signal.ndim)
            if shape != wanted:
                raise DataError(
                    f"array {name}: channels and sides {shape}, the network takes {wanted}"
                )
            for number, volume_cx in enumerate(volumes_nx):
                yield path.parent / f"{path.name}/{name}[{number}]", volume_cx


def predict_signals(
    predictor: SignalPredictor, paths: Iterable[Path], *, top: int = 5, batch_size: int = 32
) -> Iterator[Prediction]:
    """Predict the signals of each file in order, including bad files.

    Args:
        predictor: The network.
        paths: Files of series, volumes or audio, and folders to search for them.
        top: Number of classes to return, at most all.
        batch_size: Signals per batch.
    """
    numbers = count()
    files = find_signals(paths, predictor.signal.kind)
    if predictor.signal.sound is not None:
        yield from _predict_clips(predictor, files, top, batch_size)
        return
    for path in files:
        try:
            signals = predictor.read(path)
            while batch := tuple(islice(signals, batch_size)):
                for found in _predict(predictor, batch, top):
                    yield replace(found, index=next(numbers))
        except DataError as error:
            yield Prediction(next(numbers), path, error=str(error))


def _predict_clips(
    predictor: SignalPredictor, paths: Iterator[Path], top: int, batch_size: int
) -> Iterator[Prediction]:
    """Predict files that hold one clip each, several together, decoded by threads."""
    first = 0
    while batch := list(islice(paths, batch_size)):
        found = list(in_threads(lambda path: next(predictor.read(path)), batch))
        good = tuple(one for one in found if not isinstance(one, DataError))
        answers = iter(_predict(predictor, good, top) if good else [])
        for index, (path, one) in enumerate(zip(batch, found, strict=True), start=first):
            if isinstance(one, DataError):
                yield Prediction(index, path, error=str(one))
            else:
                yield replace(next(answers), index=index)
        first += len(batch)


def _predict(predictor: SignalPredictor, batch: tuple[Named, ...], top: int) -> list[Prediction]:
    logits_bk = predictor.logits(torch.stack([values_cx for _, values_cx in batch]))
    return [
        Prediction(index, name, predictor.answer(row_k, top))
        for index, ((name, _), row_k) in enumerate(zip(batch, logits_bk, strict=True))
    ]
