"""A network is given the columns it was trained on, also by names that nobody else uses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command import Command

TRAIN = ("--model", "resnext_1-1_2x4d_cifar", "--epochs", "2", "--threads", "1", "--quiet")

pytestmark = pytest.mark.slow


def train(command: Command, data: str | Path, run: Path, *words: str) -> None:
    """Train a network; two epochs need not learn anything, which is status 3."""
    status, _, err = command("train", "--data", data, "--out", run, *TRAIN, *words)
    assert status in (0, 3), err


def rows_of(command: Command, run: Path, file: Path) -> list[object]:
    return [row["predictions"] for row in command.json("predict", run, file)]


def test_wide_series(tmp_path: Path, command: Command) -> None:
    steps = [f"s{step}" for step in range(8)]
    values = [[(row * step) % 5 for step in range(8)] for row in range(30)]
    lines = [f"{7 + row % 3 // 2 * 3},{','.join(map(str, one))}" for row, one in enumerate(values)]
    file = tmp_path / "train.csv"
    file.write_text("\n".join([",".join(["quality", *steps]), *lines]) + "\n")
    run = tmp_path / "run"
    train(command, f"series:{file}", run, "--set", "data.label_column=quality")
    bare = tmp_path / "new.csv"
    bare.write_text("\n".join([",".join(steps), *(",".join(map(str, one)) for one in values)]))
    wanted = rows_of(command, run, bare)
    assert rows_of(command, run, file) == wanted
    onnx = tmp_path / "net.onnx"
    command("export", run, "--out", onnx)
    (first, *_), (other, *_) = rows_of(command, onnx, file), rows_of(command, onnx, bare)
    assert first == other
    found = command.json("evaluate", run, "--data", f"series:{file}")
    assert found["num_images"] == 30


def test_long_series(tmp_path: Path, command: Command) -> None:
    lines = [f"{10 * row},{row % 2},{step},{row * step % 5}"
             for row in range(12) for step in reversed(range(6))]  # fmt: skip
    file = tmp_path / "train.csv"
    file.write_text("\n".join(["rec,cls,when,v", *lines]) + "\n")
    run = tmp_path / "run"
    names = ("data.label_column=cls", "data.id_column=rec", "data.time_column=when")
    train(command, f"series:{file}", run, "--set", *names)
    assert len(rows_of(command, run, file)) == 12
    other = tmp_path / "other.csv"
    other.write_text("series,step,v\n0,0,1\n0,1,2\n")
    status, out, _ = command("predict", run, other, "--json")
    assert status == 1
    assert "data.time_column='when': " in json.loads(out)[0]["error"]


def test_texts(tmp_path: Path, command: Command) -> None:
    lines = [f"title {row % 3},{'good' if row % 2 else 'bad'} word {row},{row % 2}"
             for row in range(40)]  # fmt: skip
    file = tmp_path / "train.csv"
    file.write_text("\n".join(["title,summary,stars", *lines]) + "\n")
    run = tmp_path / "run"
    names = ("data.text_column=summary", "data.label_column=stars")
    train(command, f"text:{file}", run, "--set", *names)
    sentences = [line.split(",")[1] for line in lines]
    wanted = [row["predictions"] for row in command.json("predict", run, "--text", *sentences)]
    assert rows_of(command, run, file) == wanted
    assert command.json("evaluate", run, "--data", f"text:{file}")["num_images"] == 40
    other = tmp_path / "other.csv"
    other.write_text("title,stars\nsome,1\n")
    status, out, _ = command("predict", run, other, "--json")
    assert status == 1
    assert "no column is called 'summary'" in json.loads(out)[0]["error"]


def test_images_in_a_table(tmp_path: Path, command: Command) -> None:
    import pyarrow.parquet as pq
    from PIL import Image

    rows = []
    for row in range(20):
        Image.new("RGB", (8, 8), (250 * (row % 2), 40, 10 * row)).save(tmp_path / f"{row}.png")
        rows.append(f"x{row},{row % 2},{row}.png")
    table = tmp_path / "train.csv"
    table.write_text("\n".join(["name,what,pic", *rows]) + "\n")
    run = tmp_path / "run"
    names = ("data.image_column=pic", "data.label_column=what")
    command.json(
        "train", "--data", table, "--out", run, *TRAIN, "--image-size", "8", "--set", *names
    )
    assert command.json("evaluate", run, "--data", table, "--split", "all")["num_images"] == 20
    out = tmp_path / "f.parquet"
    written = command.json("features", run, table, "--out", out)
    assert written["num_images"] == 20
    assert {row["path"] for row in pq.read_table(out).to_pylist()} == {
        f"{row}.png" for row in range(20)
    }
