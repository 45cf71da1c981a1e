"""Reading the command line: messages for people, and paths that can be used."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from command import Command

import resnext
from resnext.cli.arguments import _refuse_extra, parse
from resnext.cli.describe import Describe
from resnext.cli.main import VERBS, main
from resnext.cli.predict import Predict
from resnext.cli.train import Train
from resnext.data.config import DataConfig
from resnext.errors import CheckpointError
from resnext.model.card import ModelCard
from resnext.model.create import create_model
from resnext.model.names import config_from
from resnext.weights.own_file import save_weights


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "--epochs", "x"], "Error parsing --epochs: 'x' is not a whole number"),
        (["train", "--epochs", "None"], "Error parsing --epochs: 'None' is not a whole number"),
        (["train", "--lr", "fast"], "Error parsing --lr: 'fast' is not a number"),
        (["train", "--recipe", "x"], "'finetune', 'modern', 'imagenet', 'cifar'"),
        (["predict", "r", "i", "--top", "1.5"], "Error parsing --top: '1.5' is not a whole number"),
        (["benchmark", "x", "--batch", "1", "y"], "Error parsing --batch: 'y' is not a whole"),
    ],
)
def test_a_wrong_value_is_told_without_the_names_of_types(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == 2
    said = " ".join(capsys.readouterr().err.replace("\u2502", " ").split())
    assert message in said
    assert "{None}" not in said
    assert "NoneType" not in said


def test_a_folder_called_none_is_not_a_missing_value(command: Command) -> None:
    assert "data 'None' is neither a known set" in command.refusal("train", "--data", "None")


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ["study", "list", "--json"],
        ["study", "--json", "list"],
        ["weights", "--filter", "list", "list", "--json"],
        ["weights", "--json", "list", "--filter", "resnet"],
    ],
)
def test_options_may_stand_before_the_action(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 0
    assert capsys.readouterr().out.startswith(("[", "{"))


@pytest.mark.parametrize(
    ("words", "own", "others"),
    [
        (["study", "run"], ["--jobs", "--seeds", "--halving"], ["--time", "--figures", "--force"]),
        (["study", "show"], ["--scale"], ["--root", "--jobs", "--quiet"]),
        (["data", "check"], ["--set", "DATA"], ["--prepare", "--full"]),
        (["data", "imagenet"], ["--prepare"], ["--set", "--full"]),
        (["weights", "list"], ["--filter"], ["--accept-licence", "--device"]),
    ],
)
def test_the_help_of_an_action_has_its_own_options_only(
    words: list[str], own: list[str], others: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main([*words, "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert all(f"{flag} " in text for flag in own)
    assert not any(f"{flag} " in text for flag in others)


@pytest.mark.parametrize(
    "words",
    [
        ["train", "--data", "X"],
        ["train", "--weights", "X"],
        ["train", "--out", "X"],
        ["train", "--name", "X"],
        ["train", "--resume", "X"],
        ["train", "--config", "X"],
        ["evaluate", "X"],
        ["evaluate", "run", "--data", "X"],
        ["evaluate", "run", "--report", "X"],
        ["predict", "X", "photo.jpg"],
        ["export", "X"],
        ["export", "run", "--out", "X"],
        ["pack", "X", "shards"],
        ["pack", "photos", "X"],
        ["pack", "X", "--check"],
        ["serve", "X"],
        ["convert", "X", "out.safetensors"],
        ["convert", "in.pth", "X"],
        ["features", "run", "X", "--out", "f.parquet"],
        ["features", "run", "photos", "--out", "X"],
        ["probe", "X", "photos"],
        ["probe", "run", "X"],
        ["publish", "X", "--to", "hub"],
        ["publish", "run", "--to", "X"],
        ["study", "run", "X"],
        ["study", "run", "table3", "--root", "X"],
        ["benchmark", "X"],
        ["describe", "X"],
    ],
)
@pytest.mark.parametrize("name", ["caf\udce9", "a\0b", "x" * 5000, f"{'x' * 300}/y"])
def test_a_path_that_cannot_be_used_is_one_short_message(
    words: list[str], name: str, here: Path, command: Command
) -> None:
    message = command.refusal(*(name if word == "X" else word for word in words))
    assert len(message.splitlines()) == 1
    assert len(message) < 2100
    assert message.rstrip("\n").isprintable()
    assert list(here.iterdir()) == []


def test_every_verb_is_tried_with_such_a_path() -> None:
    (marks,) = [
        mark
        for mark in test_a_path_that_cannot_be_used_is_one_short_message.pytestmark  # type: ignore[attr-defined]
        if mark.args[:1] == ("words",)
    ]
    tried = {words[0] for words in marks.args[1]}
    assert set(VERBS) - tried <= {"data", "design", "settings", "weights"}  # no path, or a new one


def test_an_error_of_the_system_is_one_line(
    monkeypatch: pytest.MonkeyPatch, command: Command
) -> None:
    def fail(_: list[str]) -> int:
        Path("\x1b[2J" + "x" * 300).read_bytes()
        return 0

    monkeypatch.setattr("resnext.cli.describe.main", fail)
    err = command.refusal("describe")
    assert "File name too long; check the path" in err
    assert len(err.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_locale_that_is_not_utf8_changes_no_name(tmp_path: Path, encoding: str) -> None:
    environment = os.environ | {
        "LC_ALL": "C",
        "PYTHONCOERCECLOCALE": "0",
        "PYTHONUTF8": "0",
        "PYTHONIOENCODING": encoding,
        "PYTHONPATH": str(Path(resnext.__file__).parents[1]),  # absolute, as `cwd` differs
    }
    said = subprocess.run(
        [sys.executable, "-m", "resnext", "pack", "--check", "caf\u00e9"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert said.returncode == 2
    assert b"Traceback" not in said.stderr
    assert "caf\u00e9 is not a packed data set".encode(encoding, "replace") in said.stderr


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("argv", "name"),
    [
        ("predict runs/photos ''", "an argument"),
        ("train --data ''", "--data"),
        ("train --data digits --model ''", "--model"),
        ("train --data digits --out=", "--out"),
        ("study run table3 --data digits '' --scale small", "an argument"),
        ("predict runs/photos photos/ --draw ''", "--draw"),
    ],
)
def test_an_empty_argument_is_refused(command: Command, argv: str, name: str) -> None:
    message = f"{name} is empty; give a value, or leave it out"
    assert message in command.refusal(*shlex.split(argv))


@pytest.mark.parametrize(
    ("word", "read"),
    [
        ("~/photo.jpg", "{home}/photo.jpg"),
        ("~", "{home}"),
        ("a~/b", "a~/b"),
        ("~nobody/x", "~nobody/x"),
        ("./~/x", "./~/x"),
    ],
)
def test_the_home_folder_is_found_where_a_shell_does_not_look(
    word: str, read: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    wanted = Path(read.format(home=tmp_path))
    for argv in (["r", word, f"--draw={word}"], ["r", word, "--draw", word]):
        arguments = parse(Predict, argv, None)
        assert arguments.images == (wanted,)
        assert arguments.draw == wanted


def test_settings_and_plugins_know_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RESNEXT_PLUGINS", "")
    (tmp_path / "in_the_home_folder.py").write_text("here = 1\n")
    assert resnext.load_plugin("~/in_the_home_folder.py").here == 1
    assert DataConfig(name="folder", root=Path("~/photos")).root == tmp_path / "photos"


def test_a_network_in_the_home_folder_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    config = config_from("resnext_1-1_2x4d_cifar")
    save_weights(tmp_path / "net.safetensors", create_model(config), config, ModelCard())
    assert resnext.load("~/net.safetensors").config == config
    assert resnext.load(Path("~/net.safetensors"), out_indices=(1,)).module is not None
    with pytest.raises(CheckpointError, match=f"{tmp_path}/nothing.safetensors: there is no such"):
        resnext.load("~/nothing.safetensors")


@pytest.mark.parametrize(
    ("argv", "hint"),
    [
        ("train photos/", "--data photos/"),
        ("train --epochs 3 --json photos/", "--data photos/"),
        ("evaluate runs/photos photos/ --quiet", "--data photos/"),
        ("evaluate --data other/ runs/photos photos/", "--data photos/"),
        ("export runs/photos photos.onnx", "--out photos.onnx"),
        ("publish runs/photos hub", "--to hub"),
        ("describe resnet50 --ndim 1 resnext50_32x4d", "--compare resnext50_32x4d"),
    ],
)
def test_a_word_without_its_option_is_answered_with_the_option(
    command: Command, argv: str, hint: str
) -> None:
    word = hint.split()[1]
    refusal = command.refusal(*argv.split())
    assert f"'{word}' is one argument too many; did you mean {hint}?" in refusal


@pytest.mark.parametrize(
    "argv",
    ["train --epoch 1", "describe resnet50 --compare resnet101 resnet26", "train --set a=1 b"],
)
def test_words_of_an_option_are_not_too_many(argv: str) -> None:
    verb, *words = argv.split()
    kind, extra = {"train": (Train, "--data"), "describe": (Describe, "--compare")}[verb]
    _refuse_extra(kind, words, extra)


@pytest.mark.parametrize("name", ["runs/photos", "resnext50_32x4d.a1_in1k"])
def test_weights_are_no_network_for_training(command: Command, name: str) -> None:
    refusal = command.refusal("train", "--data", "digits", "--model", name)
    assert "to start from trained weights, give them to --weights" in refusal


def test_images_without_a_network_are_answered_with_an_example(command: Command) -> None:
    refusal = command.refusal("predict", "photos/dress")
    assert "predict needs images: give image files or folders after the network" in refusal
    assert "only 'photos/dress' was given" in refusal
