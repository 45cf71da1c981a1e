"""`resnext train --pretrained` and `--weights`: what is chosen, by which recipe, and offline."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml
from command import Command
from PIL import Image
from tiny_config import TINY

import resnext
from resnext.api.train_weights import choose_pretrained
from resnext.cli.main import main
from resnext.data.config import DataConfig
from resnext.errors import DownloadError
from resnext.weights.catalogue import find_entry
from resnext.weights.fetch import cached_file
from resnext.weights.reach import Silence

NETWORK = TINY.replace(in_channels=1, num_classes=3)
SMALL = ["--data", "digits", "--epochs", "2", "--threads", "1", "--set", "data.num_train=200"]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep all caches here, and let no server be asked."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    silence = Silence("no way", is_final=True)
    monkeypatch.setattr("resnext.weights.fetch.reach", lambda _: silence)
    return tmp_path / "cache"


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """Weights that say nothing of themselves."""
    torch.manual_seed(0)
    path = tmp_path / "foreign.pth"
    torch.save(resnext.create_model(NETWORK).state_dict(), path)
    return path


def _photos(root: Path) -> Path:
    for label in "ab":
        for number in range(10):
            file = root / label / f"{number}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (70, 80)).save(file)
    return root


@pytest.mark.slow
def test_offline_the_file_to_copy_is_named_before_torch_is_loaded(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    caches = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "HF_HOME": str(tmp_path / "hub")}
    environment = {**os.environ, **caches, "HF_ENDPOINT": f"http://127.0.0.1:{port}"}
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        environment.pop(name, None)
    words = ["train", "--data", str(_photos(tmp_path / "photos")), "--device", "cpu"]
    for more in (
        ["--pretrained"],
        ["--weights", "resnet26.bt_in1k"],
        ["--weights", "timm/resnet26.bt_in1k"],
    ):
        code = (
            "import sys; from resnext.cli.main import main; "
            f"status = main({words + more!r}); print(status, 'torch' in sys.modules)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env=environment
        )
        assert done.stdout.strip() == "2 False", done.stderr
        assert "timm/resnet26.bt_in1k/resolve/main/model.safetensors (about 64 MB)" in done.stderr
        assert str(tmp_path / "cache/resnext/weights/resnet26.bt_in1k") in done.stderr


def test_offline_the_best_weights_that_are_here_are_taken(cache: Path) -> None:
    data = DataConfig(name="cifar100", root=cache)
    with pytest.raises(DownloadError, match=r"resnext29_32x4d\.pytorchcv_cifar100"):
        choose_pretrained(data, None, "cpu", accept_licence=False)
    here = find_entry("resnet_3-4-6-3_cifar.mmpretrain_cifar100")
    cached_file(here).parent.mkdir(parents=True)
    cached_file(here).touch()
    name, note = choose_pretrained(data, None, "cpu", accept_licence=False)
    assert name == Path(here.name)
    assert "no connection" in note
    with pytest.raises(DownloadError):  # another network was named
        choose_pretrained(data, "resnext29_32x4d", "cpu", accept_licence=False)


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--pretrained", "--weights", "w"], "leave out --weights"),
        (["--pretrained", "--config", "run"], "leave out --config"),
        (["--pretrained"], "those of digits are grey"),
        (["--accept-licence"], "is for --weights NAME and --pretrained"),
        (["--recipe", "finetune"], "give --weights or --pretrained"),
        (
            ["--data", "cifar10", "--pretrained", "--model", "resnext14_8x4d"],
            "no published weights",
        ),
        (["--weights", "resnext101_32x32d.fb_wsl_ig1b_ft_in1k"], "forbids commercial use"),
        (["--data", "nowhere", "--weights", "resnet18.a1_in1k"], "neither a known set"),
    ],
)
def test_flags_that_contradict_each_other_or_the_images_are_one_message(
    words: list[str], message: str, command: Command
) -> None:
    error = command.refusal("train", *words)
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.slow
def test_weights_are_opened_once_and_trained_by_their_recipe(
    tmp_path: Path, foreign: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = tmp_path / "run"
    words = ["train", *SMALL, "--weights", str(foreign), "--out", str(run), "--quiet"]
    assert main(words) in (0, 3)
    assert caplog.text.count("specifies neither classes") == 1
    settings = yaml.safe_load((run / "config.yaml").read_text())
    assert settings["recipe"] == "finetune"
    assert settings["schedule"]["head_first"] > 0
    assert settings["weights"] == str(foreign)


@pytest.mark.slow
def test_a_run_begun_before_there_was_the_recipe_is_gone_on_with(
    tmp_path: Path, foreign: Path, capsys: pytest.CaptureFixture[str], command: Command
) -> None:
    run = tmp_path / "run"
    words = ["train", *SMALL, "--weights", str(foreign), "--out", str(run), "--continue", "--quiet"]
    assert main([*words, "--recipe", "fast"]) in (0, 3)
    written = (run / "last.safetensors").stat().st_mtime_ns
    assert main(words) in (0, 3), capsys.readouterr().err
    assert (run / "last.safetensors").stat().st_mtime_ns == written
    assert "contains a run with other settings" in command.refusal(*words, "--recipe", "finetune")
