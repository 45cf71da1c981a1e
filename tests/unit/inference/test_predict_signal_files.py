"""Predictions for files and folders of signals."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_signal_networks import TEXT, untrained

from resnext.inference.files import Prediction
from resnext.inference.signals import SignalPredictor
from resnext.inference.texts import predict_texts


def _names(rows: list[Prediction], folder: Path) -> list[str]:
    return [str(row.path.relative_to(folder)) if row.path else "" for row in rows]


@pytest.mark.parametrize("name", ["x.csv", "x.tsv"])
def test_a_column_of_texts_alone_is_predicted(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("summary\ngood film\nbad film\n")
    rows = list(predict_texts(SignalPredictor(untrained(TEXT)), (), [tmp_path / name]))
    assert [(row.text, row.error) for row in rows] == [("good film", None), ("bad film", None)]
    assert _names(rows, tmp_path) == [f"{name}[0]", f"{name}[1]"]
