import json
from pathlib import Path

import pytest
import torch
from command import Command
from image_trees import write_grey

from resnext.cli import features
from resnext.errors import CheckpointError, ConfigError, ResNeXtError
from resnext.inference.load import load

parquet = pytest.importorskip("pyarrow.parquet")


def test_a_run_gives_a_row_for_each_image(
    digits_run: Path, tmp_path: Path, command: Command
) -> None:
    out = tmp_path / "f.parquet"
    assert command.json("features", digits_run, "--out", out) == {
        "out": str(out),
        "num_images": 359,
        "dimension": 1024,
        "bad_files": [],
    }
    table = parquet.read_table(out)
    assert table["index"].to_pylist() == list(range(359))
    assert set(table["split"].to_pylist()) == {"val"}
    model = load(digits_run)
    described = {key.decode(): json.loads(text) for key, text in table.schema.metadata.items()}
    assert described["config"] == model.config.model_dump(mode="json")
    assert described["card"] == model.card.model_dump(mode="json")
    assert described["data"]["name"] == "digits"
    assert described["stage"] is None


@pytest.mark.slow
def test_the_embeddings_reproduce_the_evaluation(digits_run: Path, tmp_path: Path) -> None:
    from resnext.cli.main import main

    out, figures = tmp_path / "f.parquet", tmp_path / "figures.json"
    assert features.main([str(digits_run), "--out", str(out)]) == 0
    assert main(["evaluate", str(digits_run), "--quiet", "--out", str(figures)]) == 0
    table = parquet.read_table(out)
    module = load(digits_run).module
    with torch.no_grad():
        logits = module.fc(torch.tensor(table["embedding"].to_pylist()))  # type: ignore[operator]  # a layer
    wrong = logits.argmax(1) != torch.tensor(table["label"].to_pylist())
    expected = json.loads(figures.read_text(encoding="utf-8"))["top1_error"]
    assert 100 * float(wrong.double().mean()) == pytest.approx(expected)


def test_both_splits_of_a_folder_with_their_paths(digits_run: Path, tmp_path: Path) -> None:
    data, out = tmp_path / "data", tmp_path / "f.parquet"
    write_grey(data, 3, "train/cat", "train/dog")
    write_grey(data, 2, "val/cat", "val/dog")
    flags = ["--split", "all", "--workers", "0", "--batch-size", "4"]
    assert features.main([str(digits_run), str(data), "--out", str(out), *flags]) == 0
    table = parquet.read_table(out)
    assert table["split"].to_pylist() == ["train"] * 6 + ["val"] * 4
    assert table["class"].to_pylist() == ["cat"] * 3 + ["dog"] * 3 + ["cat"] * 2 + ["dog"] * 2
    paths = table["path"].to_pylist()
    assert paths[:3] == ["train/cat/0.png", "train/cat/1.png", "train/cat/2.png"]
    assert all((data / path).is_file() for path in paths)
    assert len(set(paths)) == 10


def test_stage_and_limit(digits_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "f.parquet"
    flags = ["--stage", "1", "--limit", "7", "--split", "train"]
    assert features.main([str(digits_run), "digits", "--out", str(out), *flags]) == 0
    table = parquet.read_table(out)
    assert (table.num_rows, len(table["embedding"][0])) == (7, 256)


def test_a_file_is_replaced_only_when_told_so(digits_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "f.parquet"
    out.write_text("mine", encoding="utf-8")
    with pytest.raises(ResNeXtError, match="--force"):
        features.main([str(digits_run), "--out", str(out)])
    assert out.read_text(encoding="utf-8") == "mine"
    assert features.main([str(digits_run), "--out", str(out), "--force", "--limit", "3"]) == 0
    assert parquet.read_table(out).num_rows == 3


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--stage", "4"], "--stage 4: the network has stages 1 to 3"),
        (["--limit", "0"], "--limit 0: give 1 or more"),
        (["--batch-size", "0"], "--batch-size 0: give 1 or more"),
        (["nowhere"], "neither a known set"),
        (["--device", "abacus"], "device='abacus'"),
    ],
)
def test_mistakes_are_one_message_and_leave_no_file(
    digits_run: Path, tmp_path: Path, flags: list[str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        features.main([str(digits_run), "--out", str(tmp_path / "f.parquet"), *flags])
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize(("out", "message"), [("no/f.parquet", "does not exist"), ("", "a folder")])
def test_a_place_that_is_none_is_refused_at_once(tmp_path: Path, out: str, message: str) -> None:
    with pytest.raises(ResNeXtError, match=message):
        features.main([str(tmp_path / "none"), "--out", str(tmp_path / out)])


def test_a_missing_run_is_one_message(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="there is no such file"):
        features.main([str(tmp_path / "none"), "--out", str(tmp_path / "f.parquet")])


def test_images_with_other_channels_are_refused(tmp_path: Path) -> None:
    from resnext.model.card import ModelCard
    from resnext.model.create import create_model
    from resnext.model.names import config_from
    from resnext.weights.own_file import save_weights

    config = config_from("resnext11_2x4d", num_classes=10, in_channels=3)
    weights = tmp_path / "colour.safetensors"
    save_weights(weights, create_model(config), config, ModelCard())
    with pytest.raises(
        ConfigError, match=r"takes images of 3 channel\(s\), those of digits have 1"
    ):
        features.main([str(weights), "digits", "--out", str(tmp_path / "f.parquet")])
