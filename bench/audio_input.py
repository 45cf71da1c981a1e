"""Input speed of audio: files to normalised log-mel batches, against a plain DataLoader.

The peer does per file what training scripts do: read it with soundfile, mix to mono, crop at
random or pad, take torch's STFT, mel filters and the logarithm, normalise. It runs without workers,
and both sides have one core. Ours decodes once and computes the spectrograms of a batch together,
so the first epoch, which decodes, and later ones are stated apart. Both take turns.

    python bench/audio_input.py [FOLDER] [--pairs 5]

FOLDER holds audio files of one rate; by default 1,000 made files of one second at 16,000 Hz.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import tempfile
from collections import deque
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from torch.utils.data import DataLoader, Dataset

from resnext.data.augment.config import AugmentConfig
from resnext.data.file_split import FileSplit
from resnext.data.loading.config import TrainLoaderConfig
from resnext.data.sets.audio.decode import decode_all, look
from resnext.data.signals.audio_split import AudioSplit
from resnext.data.signals.augment_config import SignalAugmentConfig
from resnext.data.signals.front_end import FLOOR, mel_filters
from resnext.data.signals.loaders import SignalTrainLoader
from resnext.model.signal import SignalInput
from resnext.model.sound import SoundInput
from resnext.turns import take_turns

_BATCH_SIZE = 32
_MADE_HZ, _NUM_MADE = 16_000, 1_000
_MEAN, _STD = -6.0, 3.0


class PeerSet(Dataset[torch.Tensor]):
    """Log-mel spectrograms of files, one by one."""

    def __init__(self, paths: list[Path], sound: SoundInput, size: int) -> None:
        self._paths, self._sound, self._size = paths, sound, size
        filters = mel_filters(sound.rate_hz, sound.fft, sound.num_mels)
        self._filters_mf = torch.from_numpy(filters)
        self._window = torch.hann_window(sound.window)

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, index: int) -> torch.Tensor:
        sound, size = self._sound, self._size
        samples, _ = soundfile.read(self._paths[index], dtype="float32", always_2d=True)
        wave = torch.from_numpy(samples.mean(axis=1))
        spare = len(wave) - size
        if spare >= 0:
            start = int(torch.randint(spare + 1, ()))
            wave = wave[start : start + size]
        else:
            before = int(torch.randint(-spare + 1, ()))
            wave = torch.nn.functional.pad(wave, (before, -spare - before))
        spectrum = torch.stft(
            wave,
            sound.fft,
            sound.hop,
            sound.window,
            self._window,
            pad_mode="constant",
            return_complex=True,
        )
        mels = self._filters_mf @ spectrum.abs().square()
        return ((mels + FLOOR).log() - _MEAN) / _STD


def measure(paths: list[Path], num_pairs: int) -> dict[str, Any]:
    """Time epochs of the peer, of ours with decoding, and of ours without."""
    torch.set_num_threads(1)
    files = FileSplit(Path("/"), [str(path) for path in paths], torch.zeros(len(paths)).long())
    facts = look(files)
    rate_hz = soundfile.info(paths[0]).samplerate
    window, hop = round(0.025 * rate_hz), round(0.01 * rate_hz)
    sound = SoundInput(rate_hz=rate_hz, window=window, hop=hop)
    size = round(facts.seconds * rate_hz)
    stored = max(size, min(round(facts.longest * rate_hz), 4 * size))
    signal = SignalInput(
        kind="audio", size=size, fit="pad", mean=(_MEAN,), std=(_STD,), sound=sound
    )
    config = TrainLoaderConfig(
        augment=AugmentConfig(), batch_size=_BATCH_SIZE, seed=0, device=torch.device("cpu")
    )

    def loader() -> SignalTrainLoader:
        found = decode_all(files, rate_hz, stored, is_mono=True, threads=1)
        values, lengths = torch.from_numpy(found.values_ncl), torch.from_numpy(found.lengths_n)
        numbers = torch.arange(len(paths))
        split = AudioSplit(
            values, files.targets_n, numbers, names=files.names, lengths_n=lengths, signal=signal
        )
        return SignalTrainLoader(split, signal, SignalAugmentConfig(), config)

    kept = loader()
    peer = DataLoader(PeerSet(paths, sound, size), batch_size=_BATCH_SIZE, shuffle=True)
    seconds = take_turns(
        [
            lambda: deque(peer, maxlen=0),
            lambda: deque(loader().epoch(0), maxlen=0),
            lambda: deque(kept.epoch(1), maxlen=0),
        ],
        num_pairs,
        warm_up=1,
    )
    audio_s = sum(soundfile.info(path).duration for path in paths)
    rates = [[audio_s / one for one in times] for times in seconds]
    ratios = [
        statistics.median(own / other for own, other in zip(rates[side], rates[0], strict=True))
        for side in (1, 2)
    ]
    names = ("peer", "ours with decoding", "ours later")
    return {
        "files": len(paths),
        "rate_hz": rate_hz,
        "size": size,
        "audio_s_per_s": {
            name: round(statistics.median(one)) for name, one in zip(names, rates, strict=True)
        },
        "ratio_with_decoding": round(ratios[0], 2),
        "ratio_later": round(ratios[1], 2),
        "pairs": num_pairs,
        "torch": torch.__version__,
        "machine": platform.machine(),
    }


def make_files(folder: Path) -> list[Path]:
    """Write noise of 16 bits."""
    draw = np.random.default_rng(0)
    paths = []
    for number in range(_NUM_MADE):
        paths.append(folder / f"{number:04d}.wav")
        soundfile.write(paths[-1], 0.1 * draw.normal(size=_MADE_HZ), _MADE_HZ)
    return paths


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--pairs", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        if arguments.folder is None:
            paths = make_files(Path(made))
        else:
            paths = sorted(path.resolve() for path in arguments.folder.iterdir())
        print(json.dumps(measure(paths, arguments.pairs)))


if __name__ == "__main__":
    main()
