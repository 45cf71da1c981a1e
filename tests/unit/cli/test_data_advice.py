"""`resnext data check` advises to start from published weights, and that is no warning."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from resnext.cli.data import main


def test_a_small_folder_is_advised_to_start_from_weights(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    generator = np.random.default_rng(0)
    for number in range(20):
        file = tmp_path / "ab"[number % 2] / f"{number}.png"
        file.parent.mkdir(exist_ok=True)
        Image.fromarray(generator.integers(0, 256, (9, 9, 3), dtype=np.uint8)).save(file)
    assert main(["check", str(tmp_path)]) == 0
    assert "advice    18 training images are few" in capsys.readouterr().out
    assert main(["check", str(tmp_path), "--json"]) == 0
    (advice,) = json.loads(capsys.readouterr().out)["advice"]
    assert "resnext train --pretrained" in advice
