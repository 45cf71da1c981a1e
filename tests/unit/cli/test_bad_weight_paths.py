"""Whatever is given as weights, each verb answers with one message and does not wait."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from command import Command
from PIL import Image


def leave_missing(_: Path) -> None:
    pass


BAD: dict[str, Callable[[Path], object]] = {
    "missing": leave_missing,
    "folder": Path.mkdir,
    "empty": Path.touch,
    "pipe": os.mkfifo,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "text": lambda path: path.write_text("to whom it may concern\n" * 100),
    "photo": lambda path: Image.new("RGB", (32, 32)).save(path, "JPEG"),
    "loop": lambda path: path.symlink_to(path.name),
}
VERBS = {
    "convert": ["convert", "{bad}", "{folder}/out.safetensors"],
    "predict": ["predict", "{bad}", "{folder}/photo.jpg"],
    "evaluate": ["evaluate", "{bad}", "--data", "digits"],
    "serve": ["serve", "{bad}", "--port", "0", "--no-page"],
    "export": ["export", "{bad}", "--out", "{folder}/out.onnx"],
    "benchmark": ["benchmark", "{bad}", "--runtime", "eager"],
    "train": ["train", "--data", "digits", "--weights", "{bad}"],
    "describe": ["describe", "{bad}"],
    "publish": ["publish", "{bad}", "--to", "{folder}/published", "--licence", "MIT"],
    "features": ["features", "{bad}", "digits", "--out", "{folder}/f.parquet"],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["net.safetensors", "net.pth", "net.onnx", "net.xml", "net.pt2"])
@pytest.mark.parametrize("kind", BAD)
@pytest.mark.parametrize("verb", VERBS)
def test_a_bad_file_is_one_message(
    verb: str, kind: str, name: str, here: Path, command: Command
) -> None:
    Image.new("RGB", (32, 32)).save(here / "photo.jpg")
    bad = here / name
    BAD[kind](bad)
    words = [word.format(bad=bad, folder=here) for word in VERBS[verb]]
    message = command.refusal(*words)
    assert message.count("\n") == 1, message
    assert name in message
    if kind == "pipe":
        assert stat.S_ISFIFO(bad.stat().st_mode)
