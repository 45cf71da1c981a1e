"""`resnext.predict` for signals: paths, contents, arrays and texts give what the verb gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from made_audio import write_tone
from made_recordings import AUDIO, VIDEO, video_file
from made_signal_networks import SERIES, TEXT, VOLUME, untrained

import resnext
from resnext.errors import ConfigError, DataError
from resnext.inference.signals import SignalPredictor, predict_signals


def _probabilities(found: Any) -> list[tuple[str, float]]:
    return [(row.label, row.probability) for row in found]


def test_audio_by_path_content_and_array_gets_the_answers_of_the_verb(tmp_path: Path) -> None:
    network = untrained(AUDIO)
    paths = [write_tone(tmp_path / f"{hz:04d}.wav", float(hz)) for hz in (300, 900, 1_500)]
    wanted = _probabilities(predict_signals(SignalPredictor(network), paths))
    assert _probabilities(resnext.predict(network, paths)) == wanted
    assert _probabilities(resnext.predict(network, str(tmp_path))) == wanted
    contents = [path.read_bytes() for path in paths]
    assert _probabilities(resnext.predict(network, contents)) == wanted
    import soundfile

    arrays = [soundfile.read(path, dtype="int16")[0] for path in paths]
    assert _probabilities(resnext.predict(network, arrays)) == wanted
    assert _probabilities(resnext.predict(network, np.stack(arrays))) == wanted
    shares = [torch.from_numpy(one.astype(np.float32) / 32_768) for one in arrays]
    assert _probabilities(resnext.predict(network, shares)) == wanted


def test_video_by_path_and_content_averages_clips(tmp_path: Path) -> None:
    pytest.importorskip("av")
    network, data = untrained(VIDEO), video_file(tmp_path)
    by_path, by_content = resnext.predict(network, [next(tmp_path.iterdir()), data])
    assert by_path.ranked == by_content.ranked
    assert by_path.index == 0
    assert by_content.index == 1
    with pytest.raises(ConfigError, match="ndarray: this network takes a video"):
        resnext.predict(network, np.zeros((8, 16, 16, 3), np.uint8))


def test_series_and_volumes_as_arrays_one_or_many(tmp_path: Path) -> None:
    network, draw = untrained(SERIES), np.random.default_rng(0)
    rows = draw.normal(size=(3, 20))
    one_by_one = _probabilities(resnext.predict(network, list(rows)))
    assert _probabilities(resnext.predict(network, rows)) == one_by_one
    assert _probabilities(resnext.predict(network, rows[:, None])) == one_by_one
    assert len(set(one_by_one)) == 3
    np.savez(tmp_path / "a.npz", X=rows, y=np.array(["a", "b", "a"]))
    by_file = resnext.predict(network, tmp_path / "a.npz")
    np.testing.assert_allclose(
        [row.probability for row in by_file], [share for _, share in one_by_one], rtol=1e-5
    )
    network = untrained(VOLUME)
    bytes_nx = draw.integers(0, 256, (2, 2, 6, 6, 6), np.uint8)
    many = _probabilities(resnext.predict(network, bytes_nx))
    assert many == _probabilities(resnext.predict(network, [bytes_nx[0], bytes_nx[1] / 255]))


def test_texts_are_strings_and_files_are_paths(tmp_path: Path) -> None:
    network, path = untrained(TEXT), tmp_path / "more.txt"
    path.write_text("good film\nbad film\n")
    by_hand = resnext.predict(network, ["good film", "bad film"])
    by_file = resnext.predict(network, path)
    assert _probabilities(by_hand) == _probabilities(by_file)
    assert resnext.predict(network, "good film")[0].text == "good film"
    with pytest.raises(ConfigError, match="a text is empty"):
        resnext.predict(network, ["good", " "])


def test_what_cannot_be_used_is_an_error_of_its_row_or_of_the_call(tmp_path: Path) -> None:
    network, good = untrained(AUDIO), write_tone(tmp_path / "a.wav", 300.0)
    found = resnext.predict(network, [b"no sound", good, np.zeros(0), tmp_path / "none.wav"])
    assert [row.error is None for row in found] == [False, True, False, False]
    assert [row.index for row in found] == [0, 1, 2, 3]
    with pytest.raises(DataError, match="not an audio file"):
        _ = found[0].label
    with pytest.raises(ConfigError, match="int: this network takes audio"):
        resnext.predict(network, 3)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="needs a network for images"):
        resnext.predict(network, good, precision="bf16")
    with pytest.raises(ConfigError, match="bytes: this network takes a series"):
        resnext.predict(untrained(SERIES), b"x")
