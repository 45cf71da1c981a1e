from pathlib import Path

import numpy as np
import pytest
import torch
from command import Command
from PIL import Image
from tiny_config import TINY

from resnext.cli import evaluate
from resnext.cli.export import main
from resnext.errors import ConfigError
from resnext.model.card import ModelCard
from resnext.model.create import create_model
from resnext.weights.own_file import save_weights

pytestmark = pytest.mark.usefixtures("remembered_traces")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """A small network for the digits with random weights."""
    torch.manual_seed(0)
    config = TINY.replace(in_channels=1, num_classes=10)
    card = ModelCard(
        data="digits",
        classes=tuple("0123456789"),
        image_size_px=8,
        resize_px=None,
        mean=(0.3,),
        std=(0.37,),
    )
    path = tmp_path / "digits.safetensors"
    save_weights(path, create_model(config), config, card)
    return path


@pytest.mark.slow
def test_an_exported_file_takes_the_place_of_the_run(
    weights: Path, tmp_path: Path, command: Command
) -> None:
    rng = np.random.default_rng(0)
    images = []
    for number in range(3):
        images.append(str(tmp_path / f"{number}.png"))
        Image.fromarray(rng.integers(0, 256, (12, 9 + number), dtype=np.uint8)).save(images[-1])
    figures: dict[str, list[object]] = {}
    for kind in ("run", "pixels", "image", "normalised"):
        file = weights
        if kind != "run":
            file = tmp_path / f"{kind}.onnx"
            assert f"wrote {file}: onnx, fp32" in command.prints(
                "export", weights, "--input", kind, "--out", file
            )
        evaluated = command.json("evaluate", file, "--data", "digits", "--quiet")
        predicted = command.json("predict", file, *images)
        figures[kind] = [evaluated["top1_error"], evaluated["macs"]]
        figures[kind] += [[[c["class"] for c in row["predictions"]] for row in predicted]]
        figures[kind] += [pytest.approx(evaluated["loss"], abs=1e-4)]
    assert all(found == figures["run"] for found in figures.values())


def test_what_was_written_is_told_as_json(weights: Path, tmp_path: Path, command: Command) -> None:
    file = tmp_path / "net.torchscript"
    facts = command.json(
        "export", weights, "--to", "torchscript", "--out", file, "--data", "digits"
    )
    assert facts["paths"] == [str(file)]
    assert (facts["format"], facts["precision"], facts["int8"]) == ("torchscript", "fp32", None)
    assert facts["num_bytes"] == file.stat().st_size
    assert facts["parity"]["source"] == "digits, val split"
    assert facts["parity"]["top1_agreement"] == 100.0


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_without_a_name_the_file_is_called_after_the_weights(weights: Path) -> None:
    main([str(weights), "--to", "pt2"])
    assert Path("digits.pt2").is_file()
    with pytest.raises(ConfigError, match=r"digits\.pt2 exists; .* --force"):
        main([str(weights), "--to", "pt2"])
    assert main([str(weights), "--to", "pt2", "--force"]) == 0


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--calibrate", "5"], "--calibrate has no effect here; it belongs to --int8"),
        (["--max-loss", "1"], "--max-loss has no effect here; it belongs to --int8"),
        (["--int8", "--calibrate", "0"], "give a positive number of images"),
        (["--int8"], "does not name its data set"),
        (["--to", "openvino", "--precision", "bf16"], "does not name its data set"),
        (["--int8", "--precision", "bf16"], "give either --int8 or --precision bf16"),
        (["--opset", "9"], "accepted are 18 to 23"),
        (["--out", "net.xml"], r"the name of a file for onnx must end in \.onnx"),
    ],
)
def test_wrong_flags_are_told(weights: Path, argv: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        main([str(weights), *argv])


def test_an_exported_file_is_not_exported_again(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is already an exported file"):
        main([str(tmp_path / "net.onnx")])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pixels", "image"])
def test_a_file_of_another_size_is_given_images_of_that_size(
    kind: str, weights: Path, tmp_path: Path, command: Command
) -> None:
    file = tmp_path / "large.onnx"
    main([str(weights), "--size", "12", "--input", kind, "--out", str(file)])
    assert command.json("evaluate", file, "--data", "digits", "--quiet")["view"]["size_px"] == 12
    Image.new("L", (30, 20)).save(tmp_path / "grey.png")
    assert command.json("predict", file, tmp_path / "grey.png")[0]["error"] is None


@pytest.mark.slow
@pytest.mark.parametrize("flags", [["--resize", "9"], ["--size", "9"], ["--flip"], ["--ten-crop"]])
def test_a_file_that_crops_inside_refuses_other_crops(
    flags: list[str], weights: Path, tmp_path: Path
) -> None:
    file = tmp_path / "net.onnx"
    main([str(weights), "--input", "image", "--out", str(file), "--json"])
    with pytest.raises(ConfigError, match="resizes and crops images itself"):
        evaluate.main([str(file), "--data", "digits", "--quiet", *flags])
