"""Names of output files and inputs that would mislead or lose something are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import Command
from digits_network import save_network
from PIL import Image

from resnext.data.config import DataConfig
from resnext.errors import ConfigError
from resnext.training.outside_data import refuse_inside


@pytest.fixture
def network(tmp_path: Path) -> Path:
    return save_network(tmp_path / "net.safetensors")


@pytest.mark.parametrize(
    ("name", "flags", "message"),
    [
        ("a.onnx", [], "convert writes weights; write a file for a runtime with `resnext export"),
        ("a.PT2", [], "convert writes weights"),
        ("a.pth", [], "--format safetensors writes a file that ends in .safetensors"),
        ("a.bin", ["--format", "timm"], "--format timm writes a file that ends in .safetensors"),
        (
            "a.safetensors",
            ["--format", "torchvision"],
            "writes a file that ends in .pth, .pt, .bin",
        ),
    ],
)
def test_converted_weights_have_a_name_that_others_understand(
    network: Path, command: Command, name: str, flags: list[str], message: str
) -> None:
    target = network.with_name(name)
    assert message in command.refusal("convert", network, target, *flags)
    assert not target.exists()


def test_features_are_no_csv(network: Path, command: Command) -> None:
    words = ("features", network, "digits", "--out", network.with_name("f.csv"))
    assert "let it end in .parquet" in command.refusal(*words)


def test_two_results_are_two_files(network: Path, command: Command) -> None:
    place = network.with_name("x.json")
    words = ("evaluate", network, "--data", "digits", "--report", place, "--out", place)
    assert "would both write" in command.refusal(*words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["https://example.com/a.jpg"], "https://example.com/a.jpg: addresses are not opened"),
        (["s3://bucket/a.jpg"], "addresses are not opened"),
        (["-"], "standard input is not read"),
        (["PHOTO", "--draw", "out.png"], "--draw out.png: give a folder, not a file"),
        (["FOLDER", "--draw", "FOLDER"], "this folder is an input"),
    ],
)
def test_what_predict_cannot_read_or_write_is_named(
    network: Path, command: Command, words: list[str], message: str
) -> None:
    folder = network.parent / "photos"
    folder.mkdir()
    Image.new("L", (8, 8)).save(folder / "a.png")
    known = {"PHOTO": str(folder / "a.png"), "FOLDER": str(folder)}
    said = command.refusal("predict", network, *(known.get(word, word) for word in words))
    assert message in " ".join(said.split())


def test_drawings_inside_the_input_are_no_input(network: Path, command: Command) -> None:
    folder = network.parent / "photos"
    folder.mkdir()
    Image.new("L", (8, 8)).save(folder / "a.png")
    for _ in range(2):
        rows = command.json("predict", network, folder, "--draw", folder / "drawn")
        assert [Path(row["path"]).name for row in rows] == ["a.png"]
    assert [file.name for file in (folder / "drawn").iterdir()] == ["a.png"]


@pytest.mark.parametrize(
    ("folders", "run", "is_refused"),
    [
        (("cat", "dog"), "runs", True),
        (("cat", "dog"), "cat/run", True),
        (("cat", "dog"), "../runs", False),
        (("cat", "dog"), ".runs/run", False),
        (("train/cat", "val/cat"), "runs", False),
        (("train/cat", "val/cat"), "train/run", True),
        (("cat", "dog"), ".", False),  # it is not empty, which is said elsewhere
    ],
)
def test_a_run_is_no_class_of_its_data(
    tmp_path: Path, folders: tuple[str, ...], run: str, is_refused: bool
) -> None:
    root = tmp_path / "photos"
    for folder in folders:
        (root / folder).mkdir(parents=True)
    data = DataConfig(name="folder", root=root)
    if is_refused:
        with pytest.raises(ConfigError, match="would be inside the data folder"):
            refuse_inside(data, root / run)
    else:
        refuse_inside(data, root / run)


def test_training_inside_the_data_ends_before_it_begins(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for number in range(10):
            image = Image.new("RGB", (8, 8), (20 * number, 0, 0))
            image.save(tmp_path / name / f"{number}.png")
    monkeypatch.chdir(tmp_path)
    words = ("--model", "resnext_1-1_2x4d_cifar", "--epochs", "1", "--threads", "1")
    assert "would be inside the data folder" in command.refusal("train", "--data", ".", *words)
    assert "cannot be the name of a run" in command.refusal(
        "train", "--data", "digits", "--name", "..", *words
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cat", "dog"]
