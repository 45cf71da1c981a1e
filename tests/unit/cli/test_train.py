"""`resnext train`: flags become settings; the verb trains, evaluates and reports."""

import json
from pathlib import Path

import pytest
import yaml
from command import Command

from resnext.api.train_settings import build_config
from resnext.cli.main import main
from resnext.cli.train import Train
from resnext.data.config import DataConfig
from resnext.model.config import ResNeXtConfig
from resnext.runs.config import TrainConfig
from resnext.runs.folder import write_config

SMALL = ["--model", "resnext_1-1_2x4d_cifar", "--epochs", "2", "--threads", "1"]
SMALLER = ["--set", "model.stage_widths=[16, 32]", "model.stem_width=8"]


def test_flags_and_dotted_keys_change_the_recipe() -> None:
    config = build_config(
        Train(
            data="cifar10",
            recipe="cifar",
            epochs=30,
            lr=0.05,
            image_size=24,
            set=("augment.mixup=0.2", "size_schedule=[0.5, 1.0]", "optim.clip_norm=1"),
        )
    )
    assert config.schedule.epochs == 30
    assert config.schedule.milestones == (0.5, 0.75)  # the schedule is stretched, not cut
    assert (config.optim.lr, config.optim.clip_norm) == (0.05, 1.0)
    assert config.augment.mixup == 0.2
    assert config.size_schedule == (0.5, 1.0)
    assert config.data == DataConfig(name="cifar10", image_size_px=24)


def test_the_network_follows_the_data_unless_it_is_named() -> None:
    default = build_config(Train(data="cifar10")).model
    assert isinstance(default, ResNeXtConfig)
    assert (default.stem, default.template, default.depth) == ("cifar", "8x64d", 29)
    named = build_config(Train(data="cifar10", model="resnext26_32x4d")).model
    assert isinstance(named, ResNeXtConfig)
    assert (named.stem, named.depth) == ("imagenet", 26)


def test_new_weights_for_a_runs_settings_bring_their_normalisation(tmp_path: Path) -> None:
    data = DataConfig(name="digits", mean=(0.1,), std=(0.2,))
    write_config(tmp_path, TrainConfig(data=data))
    assert build_config(Train(config=tmp_path)).data == data
    new = build_config(Train(config=tmp_path, weights=Path("new"), set=("data.std=[0.3]",)))
    assert (new.data.mean, new.data.std) == (None, (0.3,))


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_training_leaves_a_run_that_explains_itself(command: Command) -> None:
    figures = command.json("train", *SMALL, *SMALLER, "--name", "mine")
    run = Path(figures["run"])
    assert run == Path("runs/mine")
    assert figures["num_images"] > 300
    assert 0 <= figures["top1_error"] < 95
    for name in ("config.yaml", "environment.json", "metrics.jsonl", "last.safetensors"):
        assert (run / name).stat().st_size > 0
    assert figures["top1_error"] == json.loads((run / "evaluation.json").read_text())["top1_error"]
    assert "<html" in (run / "report.html").read_text(encoding="utf-8")
    assert yaml.safe_load((run / "config.yaml").read_text())["model"]["in_channels"] == 1
    assert "never overwrites another" in command.refusal(
        "train", *SMALL, *SMALLER, "--quiet", "--out", run
    )


@pytest.mark.slow
def test_continue_goes_on_with_the_run_of_its_folder_or_begins_it(
    tmp_path: Path, command: Command
) -> None:
    run = tmp_path / "run"
    argv = [
        "train",
        "--data",
        "digits",
        "--epochs",
        "1",
        "--set",
        "data.num_train=200",
        "--threads",
        "1",
    ]
    argv += ["--out", str(run), "--continue", "--quiet"]
    assert main(argv) == 0
    written = (run / "last.safetensors").stat().st_mtime_ns
    assert main(argv) == 0  # a pod that comes back after the end
    assert (run / "last.safetensors").stat().st_mtime_ns == written
    assert "contains a run with other settings" in command.refusal(*argv, "--seed", "1")
    assert "--continue needs --out" in command.refusal("train", "--continue")


@pytest.mark.slow
@pytest.mark.parametrize(
    "setting",
    ["freeze_until=9", "augment.lighting=0.1", "view.resize_px=4"],
)
def test_a_setting_that_does_not_fit_leaves_no_run_folder(
    setting: str, tmp_path: Path, command: Command
) -> None:
    first, run = tmp_path / "first", tmp_path / "run"
    small = ["--data", "digits", "--model", "resnext_1-1_2x4d", "--device", "cpu", "--quiet"]
    small += ["--epochs", "1"]
    if setting.startswith("freeze"):
        assert main(["train", *small, "--out", str(first)]) == 0
        small += ["--weights", str(first)]
    command.refusal("train", *small, "--out", run, "--set", setting)
    assert not run.exists()
