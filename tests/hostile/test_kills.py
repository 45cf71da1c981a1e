"""SIGKILL at random moments of each command that writes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from counts import Counts
from effort import Effort
from kills import Command, kill_repeatedly, run_command
from PIL import Image

_TINY = ["--model", "resnext_1-1_2x4d", "--epochs", "2", "--device", "cpu", "--threads", "1"]
_RUN_FILES = (
    ".writer",
    "best.safetensors",
    "classes.json",
    "config.yaml",
    "environment.json",
    "evaluation.json",
    "last.previous.safetensors",
    "last.safetensors",
    "metrics.jsonl",
    "opening.json",
    "report.html",
    "tensorboard",
)

_CARD_FILES = ("README.md", "config.json", "config.yaml", "curves.png")


def _train(folder: Path) -> list[str]:
    words = ["train", "--data", "digits", *_TINY, "--precision", "fp32", "--workers", "0"]
    return [*words, "--set", "data.num_train=400", "--quiet", "--out", str(folder)]


def _trained(given: Path) -> None:
    run_command(_train(given / "run"))


def _photos(given: Path) -> None:
    for number in range(400):
        path = given / "photos" / f"class{number % 4}" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.effect_noise((200, 200), 10 + number).convert("RGB").save(path)


COMMANDS = {
    "train": Command(
        verb=lambda _, out: [*_train(out / "run"), "--continue"],
        products=frozenset(f"run/{name}" for name in _RUN_FILES),
        same=frozenset({"run/best.safetensors"}),
    ),
    "pack": Command(
        verb=lambda given, out: ["pack", str(given / "photos"), str(out / "packed")],
        products=frozenset({"packed"}),
        prepare=_photos,
    ),
    "export": Command(
        verb=lambda given, out: [
            *("export", str(given / "run"), "--out", str(out / "e.onnx"), "--force"),
        ],
        products=frozenset({"e.onnx"}),
        same=frozenset({"e.onnx"}),
        prepare=_trained,
        first_s=2.0,
    ),
    "publish": Command(
        verb=lambda given, out: [
            *("publish", str(given / "run"), "--to", str(out / "hub"), "--overwrite"),
        ],
        products=frozenset(f"hub/{name}" for name in (*_CARD_FILES, "model.safetensors")),
        same=frozenset({"hub/model.safetensors"}),
        prepare=_trained,
        first_s=2.0,
    ),
    "convert": Command(
        verb=lambda given, out: [
            *(
                "convert",
                str(given / "run" / "best.safetensors"),
                str(out / "c.safetensors"),
                "--force",
            ),
        ],
        products=frozenset({"c.safetensors"}),
        same=frozenset({"c.safetensors"}),
        prepare=_trained,
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_a_killed_command_loses_nothing_and_leaves_nothing_behind(
    name: str, effort: Effort, seed: int, record: Callable[[Counts], None], tmp_path: Path
) -> None:
    record(kill_repeatedly(name, COMMANDS[name], tmp_path, effort.num_kills, seed))
