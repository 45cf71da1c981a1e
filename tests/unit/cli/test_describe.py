"""`resnext describe`: the paper's table, the figures as JSON, and its messages."""

import json
import re
from pathlib import Path

import pytest
from command import Command
from made_run import make_run
from python_process import run_python

import resnext
from resnext.cli.describe import main
from resnext.errors import CheckpointError, ConfigError
from resnext.model.config import config_from


def test_the_table_has_the_rows_of_the_papers_table_1(command: Command) -> None:
    text = command.prints("describe", "resnext50_32x4d", "--compare", "resnet50")
    rows = [
        r"conv1 +112x112 +7x7, 64, stride 2 +7x7, 64, stride 2",
        r"conv2 +56x56 +3x3 max pool, stride 2 +3x3 max pool, stride 2",
        r"\[ 1x1, 128 +\] +\[ 1x1, 64 +\]",
        r"\[ 3x3, 128, C=32 \] x3 +\[ 3x3, 64 +\] x3",
        r"\[ 1x1, 256 +\] +\[ 1x1, 256 \]",
        r"conv3 +28x28 +\[ 1x1, 256 +\] +\[ 1x1, 128 +\]",
        r"\[ 3x3, 256, C=32 \] x4",
        r"conv4 +14x14 ",
        r"\[ 3x3, 512, C=32 \] x6",
        r"conv5 +7x7 ",
        r"\[ 3x3, 1024, C=32 \] x3 +\[ 3x3, 512 +\] x3",
        r"fc +1x1 +global average pool +global average pool",
        r"1000-d fc, softmax +1000-d fc, softmax",
        r"# params\. +25,028,904 +25,557,032 \(1\.02x\)",
        r"FLOPs +4,230,480,872 +4,089,185,256 \(0\.97x\)",
    ]
    positions = [re.search(row, text) for row in rows]
    assert all(positions), rows[positions.index(None)]
    starts = [found.start() for found in positions if found]
    assert starts == sorted(starts)
    assert "multiply-adds of convolutions and linear layers" in " ".join(text.split())


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal_and_nothing_is_cut(
    command: Command, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    others = ("resnet50", "resnext101_64x4d", "resnet18", "resnext29_16x64d")
    text = command.prints("describe", "resnext50_32x4d", "--compare", *others)
    assert max(len(line) for line in text.splitlines()) <= width
    assert "…" not in text
    for name in ("resnext50_32x4d", *others):
        assert f"{resnext.count(name).macs:,}" in text


def test_a_terminal_without_unicode_gets_the_table_too() -> None:
    code = "from resnext.cli.describe import main; main(['resnext50_32x4d'])"
    assert "[ 3x3, 128, C=32 ] x3" in run_python(code, PYTHONIOENCODING="ascii")


def test_every_layer_is_listed_on_demand(command: Command) -> None:
    plain = command.prints("describe", "resnext29_8x64d")
    text = command.prints("describe", "resnext29_8x64d", "--layers")
    names = [layer.name for layer in resnext.count("resnext29_8x64d").layers]
    assert all(re.search(rf"^ +{re.escape(name)} ", text, re.MULTILINE) for name in names)
    assert "layer3.2.conv3" not in plain


def test_json_carries_the_same_names_as_the_library(command: Command) -> None:
    figures = command.json(
        "describe", "resnext29_8x64d", "--num-classes", "100", "--compare", "resnet29"
    )
    assert list(figures) == [
        *("name", "config", "input_size", "parameters", "macs", "activations"),
        *("peak_activation_bytes", "training_activation_bytes", "stages", "layers"),
        "comparisons",
    ]
    cost = resnext.count(resnext.ResNeXtConfig(**figures["config"]), 32)
    assert figures["config"]["num_classes"] == 100
    assert figures["input_size"] == [3, 32, 32]
    for name in ("parameters", "macs", "activations", "peak_activation_bytes"):
        assert figures[name] == getattr(cost, name)
    for name in ("parameters", "macs", "activations"):
        assert sum(layer[name] for layer in figures["layers"]) == figures[name]
        assert sum(stage[name] for stage in figures["stages"]) == figures[name]
    (other,) = figures["comparisons"]
    assert other["name"] == "resnet29"
    assert other["config"]["num_classes"] == 100


def test_the_input_may_be_a_side_or_sides_or_a_shape(command: Command) -> None:
    sizes = {
        text: command.json("describe", "resnet26", "--input", text)["macs"]
        for text in ("64", "64x64", "3x64x64", "3X64X64", "32x64")
    }
    assert len(set(sizes.values())) == 2
    assert sizes["32x64"] < sizes["64"]


def test_form_and_shortcut_change_the_first_network_only(command: Command) -> None:
    figures = command.json(
        "describe",
        *("resnext50_32x4d", "--form", "a", "--shortcut", "none", "--preactivation"),
        *("--in-channels", "1", "--compare", "resnext50_32x4d", "resnet18"),
    )
    chosen = {"form": "a", "shortcut": "none", "preactivation": True, "in_channels": 1}
    assert {name: figures["config"][name] for name in chosen} == chosen
    usual = {"form": "c", "shortcut": "B", "preactivation": False, "in_channels": 1}
    for other in figures["comparisons"]:
        assert {name: other["config"][name] for name in usual} == usual


def test_what_sets_a_network_apart_stands_under_its_name(command: Command) -> None:
    text = command.prints(
        "describe", "resnext50_32x4d", "--form", "b", "--shortcut", "none", "--preactivation"
    )
    for line in ("form b", "no shortcut", "pre-activation", "[ 3x3, 4 (32 paths) ] x3"):
        assert line in text


def test_a_baseline_stands_beside_a_resnext(command: Command) -> None:
    text = command.prints("describe", "resnext50_32x4d", "--compare", "vgg16_bn", "--form", "b")
    assert "138,365,992" in text
    assert "13 conv, 3 fc (1000-d)" in text


@pytest.mark.parametrize("name", ["", "best.safetensors"])
def test_a_trained_network_is_described_at_its_own_size(
    command: Command, tmp_path: Path, name: str
) -> None:
    run = make_run(tmp_path / "run")
    figures = command.json("describe", str(run / name))
    assert figures["input_size"] == [1, 8, 8]
    assert figures["config"]["num_classes"] == 10
    assert (
        figures["parameters"] == resnext.count("resnext11_2x4d").parameters - 2 * 3 * 3 * 64
    )  # one input channel instead of three


@pytest.mark.usefixtures("here")
def test_a_folder_needs_no_slash(command: Command) -> None:
    make_run(Path("trained"))
    assert command.json("describe", "trained")["config"]["num_classes"] == 10


@pytest.mark.usefixtures("here")
def test_a_network_is_meant_if_a_folder_has_its_name(command: Command) -> None:
    Path("resnet26").mkdir()
    assert command.json("describe", "resnet26")["config"]["num_classes"] == 1000
    assert "contains no best.safetensors" in command.refusal("describe", "./resnet26")


@pytest.mark.usefixtures("here")
def test_a_missing_run_is_named() -> None:
    # where no folder `runs` is, a run must not be sought on the Hub
    with pytest.raises(CheckpointError, match="runs/nothing: there is no such file"):
        main(["runs/nothing"])


def test_known_names_are_listed(command: Command) -> None:
    assert command.prints("describe", "--list").split() == resnext.list_models()
    assert json.loads(command.prints("describe", "--list", "--json")) == resnext.list_models()


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["resnet26", "--list"], "--list can only be combined with --json"),
        ([], "give a network, such as resnext50_32x4d"),
        (["resnxt50"], "similar valid names are"),
        (["resnet-26"], "similar valid names are resnet26"),
        (["resnext-50"], "similar valid names are resnext50_"),
        (["resnet26", "--input", "0"], "input_size=0: give a side"),
        (["resnet26", "--input", "big"], "give 224, 320x320 or 3x224x224"),
        (["resnet26", "--input", "1x64x64"], "has 1 channels but the network takes 3"),
        (["resnet26", "--form", "q"], "form='q': Input should be 'a', 'b' or 'c'"),
        (
            ["resnet26", "--shortcut", "None"],
            "shortcut='None': no shortcut is registered as 'None'; accepted are A, B, C, none",
        ),
        (["resnet18", "--form", "a"], "a basic block has one path and one form"),
        (["vgg16_bn", "--form", "a"], "form: no such setting"),
        (["vgg16_bn", "--input", "31"], "the smallest accepted size is 32x32"),
        (["resnet26", "--num-classes", "-1"], "num_classes=-1"),
        (["resnet26", "--output-stride", "6"], "6: the output stride .* 4, 8, 16 or 32"),
    ],
)
def test_a_mistake_is_explained(argv: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        main(argv)


def test_help_shows_examples(command: Command) -> None:
    assert "resnext describe resnext50_32x4d --form a --compare" in command.help("describe")


@pytest.mark.parametrize("head", ["fcn", "deeplabv3", "unet", "fpn"])
def test_a_network_gets_a_head_for_pixels_and_its_cost_by_part(command: Command, head: str) -> None:
    asked = ("resnet18", "--task", "segmentation", "--head", head, "--aux-head")
    figures = command.json("describe", *asked, "--input", "3x90x120")
    named = command.json("describe", f"{head}_resnet18", "--input", "3x90x120")
    assert figures["stages"] == named["stages"]
    backbone, main, aux = figures["parts"]
    for figure in ("parameters", "macs", "activations"):
        assert backbone[figure] + main[figure] == figures[figure]
    network = resnext.create_model(config_from(figures["config"]))
    found = sum(p.numel() for n, p in network.named_parameters() if n.startswith("aux_"))
    assert aux["parameters"] == found
    assert len(named["parts"]) == 2
    text = command.prints("describe", *asked)
    assert "auxiliary head" in text
    assert "head" in text.split("conv5")[1]


def test_the_default_head_and_other_settings_of_a_network_for_pixels(command: Command) -> None:
    asked = ("describe", "resnet18", "--task", "segmentation", "--output-stride", "16")
    config = command.json(*asked)["config"]
    assert (config["family"], config["backbone"]["output_stride"]) == ("deeplabv3", 16)


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ("resnet18 --head fcn", "goes with --task segmentation"),
        ("resnet18 --aux-head", "goes with --task segmentation"),
        ("fcn_resnet18 --task segmentation --head fcn", "is given with its head"),
    ],
)
def test_a_head_without_its_task_is_refused(command: Command, flags: str, told: str) -> None:
    assert told in command.refusal("describe", *flags.split())
