"""Predictions for files and folders of signals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_audio import write_tone
from made_recordings import AUDIO
from made_signal_networks import SERIES, TEXT, VOLUME, untrained

from resnext.inference.files import Prediction
from resnext.inference.signals import SignalPredictor, predict_signals
from resnext.inference.texts import predict_texts
from resnext.model.signal import SignalInput


def _names(rows: list[Prediction], folder: Path) -> list[str]:
    return [str(row.path.relative_to(folder)) if row.path else "" for row in rows]


@pytest.mark.parametrize("name", ["x.csv", "x.tsv"])
def test_a_column_of_texts_alone_is_predicted(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("summary\ngood film\nbad film\n")
    rows = list(predict_texts(SignalPredictor(untrained(TEXT)), (), [tmp_path / name]))
    assert [(row.text, row.error) for row in rows] == [("good film", None), ("bad film", None)]
    assert _names(rows, tmp_path) == [f"{name}[0]", f"{name}[1]"]


def _fill(folder: Path, kind: str) -> list[str]:
    """Write two files of a kind, and others that are left out; return the names of the signals."""
    (folder / "more").mkdir(parents=True)
    (folder / "notes.md").write_text("x")
    (folder / ".hidden.npz").write_bytes(b"x")
    if kind == "series":
        np.savez(folder / "a.npz", X=np.zeros((2, 20)))
        (folder / "more" / "b.csv").write_text("label,t0,t1\na,1,2\n")
        return ["a.npz[0]", "a.npz[1]", "more/b.csv[0]"]
    if kind == "text":
        (folder / "a.csv").write_text("text\ngood\n")
        (folder / "more" / "b.TXT").write_text("bad\n")
        return ["a.csv[0]", "more/b.TXT[0]"]
    if kind == "audio":
        write_tone(folder / "a.wav", 300.0)
        write_tone(folder / "more" / "b.wav", 300.0)
        return ["a.wav", "more/b.wav"]
    nib = pytest.importorskip("nibabel")
    nib.save(nib.Nifti1Image(np.zeros((7, 7, 7, 2), np.float32), np.eye(4)), folder / "a.nii.gz")
    np.savez(folder / "more" / "b.npz", images=np.zeros((1, 6, 6, 6, 2), np.uint8))
    return ["a.nii.gz", "more/b.npz/images[0]"]


@pytest.mark.parametrize("signal", [SERIES, TEXT, VOLUME, AUDIO], ids=lambda one: one.kind)
def test_folders_are_searched_for_files(tmp_path: Path, signal: SignalInput) -> None:
    predictor, folder = SignalPredictor(untrained(signal)), tmp_path / "x"
    expected = _fill(folder, signal.kind)

    def predict(path: Path) -> list[Prediction]:
        if signal.kind == "text":
            return list(predict_texts(predictor, (), [path]))
        return list(predict_signals(predictor, [path]))

    rows = predict(folder)
    assert [row.error for row in rows] == [None] * len(expected)
    assert _names(rows, folder) == expected
    (tmp_path / "empty").mkdir()
    (row,) = predict(tmp_path / "empty")
    assert row.path == tmp_path / "empty"
    assert row.error is not None
    assert row.error.startswith("a folder without files that end in .")
