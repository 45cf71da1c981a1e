from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from made_audio import tone, write_tone, write_tones
from PIL import Image

from resnext.data.bad_files import BadFiles
from resnext.data.config import DataConfig
from resnext.data.sets.audio import decode
from resnext.data.sets.audio.decode import fit_clip
from resnext.data.sets.load import load_data
from resnext.data.signals.audio_split import AudioSplit, record_left_out
from resnext.data.signals.loaders import normalise_signals
from resnext.data.split import DataSet
from resnext.errors import ConfigError, DataError
from resnext.model.signal import SignalInput


def _load(root: Path, **settings: Any) -> DataSet:
    return load_data(DataConfig(name="audio", root=root, **settings))


def _signal(data: DataSet) -> SignalInput:
    assert data.info.signal is not None
    return data.info.signal


def _train(data: DataSet) -> AudioSplit:
    assert isinstance(data.train, AudioSplit)
    return data.train


def test_class_folders_become_clips_of_one_length(tmp_path: Path) -> None:
    data = _load(write_tones(tmp_path))
    signal = _signal(data)
    assert signal.sound is not None
    assert data.info.classes == ("high", "low")
    assert signal.sound.rate_hz == 8_000
    assert signal.size == 1_600  # 0.1 to 0.2 s: 95 % are shorter than 0.2
    assert (signal.sound.window, signal.sound.hop) == (200, 80)
    assert signal.shape == "1 x 64 x 21"
    assert data.test is not None
    assert (len(data.train), len(data.val), len(data.test)) == (22, 2, 12)
    assert _train(data).values_ncx.dtype == torch.int16
    assert data.remarks == ()


def test_statistics_make_the_training_features_standard(tmp_path: Path) -> None:
    data = _load(write_tones(tmp_path))
    features = normalise_signals(_train(data).values_ncx, _signal(data))
    assert float(features.mean()) == pytest.approx(0.0, abs=1e-3)
    assert float(features.std(correction=0)) == pytest.approx(1.0, abs=1e-3)


def test_a_table_names_files_classes_and_splits(tmp_path: Path) -> None:
    for number in range(9):
        write_tone(tmp_path / "sounds" / f"{number}.flac", 300.0 + 100 * number)
    rows = [
        f"{number},{'ab'[number % 2]},{'train' if number < 6 else 'test'}" for number in range(9)
    ]
    table = tmp_path / "labels.csv"
    table.write_text("path,label,split\n" + "\n".join(rows) + "\n")
    data = _load(table, val_fraction=0.34)
    assert data.test is not None
    assert (len(data.train), len(data.val), len(data.test)) == (4, 2, 3)
    assert [data.test.name(index) for index in range(3)] == ["6.flac", "7.flac", "8.flac"]
    assert data.test.targets_n.tolist() == [0, 1, 0]
    assert data.test.path(0) == tmp_path / "sounds" / "6.flac"


def test_the_settings_decide_rate_length_and_front_end(tmp_path: Path) -> None:
    settings = {
        "rate_hz": 4_000,
        "seconds": 0.1,
        "num_mels": 20,
        "window_ms": 32.0,
        "hop_ms": 8.0,
    }
    data = _load(write_tones(tmp_path), audio=settings)
    signal = _signal(data)
    assert signal.sound is not None
    assert (signal.size, signal.sound.window, signal.sound.hop) == (400, 128, 32)
    assert signal.shape == "1 x 20 x 13"
    assert _train(data).values_ncx.shape[-1] > 400  # for training to choose from
    again = _load(tmp_path, audio=DataConfig(name="audio", root=tmp_path).audio.as_trained(
        signal.sound, signal.size, 1
    ))  # fmt: skip
    assert _signal(again) == signal
    waves = _load(tmp_path, audio={"features": "waveform", "seconds": 0.1})
    assert _signal(waves).shape == "1 x 800"
    assert _signal(waves).ndim == 1


def test_long_clips_keep_a_middle_that_training_chooses_from(tmp_path: Path) -> None:
    for label in "ab":
        for number in range(4):
            write_tone(tmp_path / label / f"{number}.wav", 440.0, seconds=2.0)
    data = _load(tmp_path, audio={"seconds": 0.1})
    assert _train(data).values_ncx.shape[-1] == 3_200
    assert _train(data).lengths_n.tolist() == [3_200] * len(data.train)


def test_channels_can_be_kept_and_must_then_be_the_same(tmp_path: Path) -> None:
    for label in "ab":
        for number in range(4):
            path = tmp_path / label / f"{number}.wav"
            path.parent.mkdir(exist_ok=True)
            soundfile.write(path, np.stack([tone(300.0), tone(900.0)], axis=1), 8_000)
    data = _load(tmp_path, audio={"channels": "all"})
    assert data.info.in_channels == 2
    assert len(_signal(data).mean) == 2
    assert _load(tmp_path).info.in_channels == 1
    write_tone(tmp_path / "a" / "mono.wav", 300.0)
    with pytest.raises(DataError, match=r"leave out data\.audio\.channels=all"):
        _load(tmp_path, audio={"channels": "all"})


def _with_odd_files(folder: Path) -> Path:
    write_tones(folder, 60)
    (folder / "train" / "low" / "bad.wav").write_bytes(b"no sound")
    soundfile.write(folder / "train" / "low" / "silent.wav", np.zeros(1_600), 8_000)
    soundfile.write(folder / "test" / "low" / "short.wav", tone(440.0, 0.01), 8_000)
    return folder


def test_bad_files_are_left_out_and_odd_ones_named(tmp_path: Path) -> None:
    data = _load(_with_odd_files(tmp_path))
    assert len(data.train) + len(data.val) == 121
    bad, silent, short = data.remarks
    assert "1 file(s) cannot be read and are left out" in bad
    assert "bad.wav" in bad
    assert "is not an audio file" in bad
    assert silent == "1 silent file(s): 'low/silent.wav'"
    assert short == "1 file(s) shorter than 0.03 s: 'low/short.wav'"
    found = BadFiles(122)
    for split in (data.train, data.val):
        record_left_out(split, found)
    assert [Path(row["path"]).name for row in found.rows] == ["bad.wav"]


def test_a_set_without_a_good_file_is_refused(tmp_path: Path) -> None:
    for label in "ab":
        for number in range(2):
            path = tmp_path / label / f"{number}.wav"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"no sound")
    with pytest.raises(DataError, match=r"no audio file can be read; .* is not an audio file"):
        _load(tmp_path)


def test_what_does_not_fit_in_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_tones(tmp_path)
    monkeypatch.setattr(decode, "MAX_STORED", 22 * 1_600 - 1)
    with pytest.raises(DataError, match="more than the 35,199 samples that are held in memory"):
        _load(tmp_path)


def test_a_folder_without_audio_says_what_is_accepted(tmp_path: Path) -> None:
    for label in "ab":
        (tmp_path / label).mkdir()
        (tmp_path / label / "notes.txt").write_text("no sound")
    with pytest.raises(DataError, match=r"no audio file in a, b .* add audio files \(.flac, .mp3"):
        _load(tmp_path)


def test_settings_of_audio_are_for_audio(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="audio is for name='audio' only"):
        DataConfig(name="folder", root=tmp_path, audio={"num_mels": 20})
    with pytest.raises(ConfigError, match="needs root=FOLDER: write --data audio:FOLDER"):
        DataConfig(name="audio")
    with pytest.raises(ConfigError, match=r"the size of audio is audio\.seconds"):
        DataConfig(name="audio", root=tmp_path, image_size_px=64)
    with pytest.raises(ConfigError, match="resolves at most 128 bands"):
        _load(write_tones(tmp_path / "tones"), audio={"num_mels": 200})


def test_splits_are_chosen_joined_and_drawn(tmp_path: Path) -> None:
    data = _load(write_tones(tmp_path))
    train, test = _train(data), data.test
    assert isinstance(test, AudioSplit)
    joined = train.join([test])
    assert len(joined) == len(train) + len(test)
    assert joined.name(0) == f"train/{train.name(0)}"
    assert joined.path(len(train)) == test.path(0)
    some = joined.choose(torch.tensor([3, 30]))
    assert [some.name(0), some.name(1)] == [joined.name(3), joined.name(30)]
    assert torch.equal(some.lengths_n, joined.lengths_n[[3, 30]])
    picture = train.pictures(1).photo(0)
    assert isinstance(picture, Image.Image)
    assert picture.size == (288, 192)
    assert len(picture.getcolors(100_000) or []) > 10


def test_a_clip_is_centred_or_cropped() -> None:
    clip = np.array([[1, 2, 3]], dtype=np.int16)
    assert fit_clip(clip, 6).tolist() == [[0, 1, 2, 3, 0, 0]]
    assert fit_clip(clip, 3).tolist() == [[1, 2, 3]]
    assert fit_clip(clip, 1).tolist() == [[2]]
