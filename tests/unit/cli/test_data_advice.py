"""`resnext data check` advises to start from published weights, and that is no warning."""

from pathlib import Path

import numpy as np
from command import Command
from PIL import Image


def test_a_small_folder_is_advised_to_start_from_weights(tmp_path: Path, command: Command) -> None:
    generator = np.random.default_rng(0)
    for number in range(20):
        file = tmp_path / "ab"[number % 2] / f"{number}.png"
        file.parent.mkdir(exist_ok=True)
        Image.fromarray(generator.integers(0, 256, (9, 9, 3), dtype=np.uint8)).save(file)
    assert "advice    18 training images are few" in command.prints("data", "check", tmp_path)
    (advice,) = command.json("data", "check", tmp_path)["advice"]
    assert "resnext train --pretrained" in advice
