"""Training and evaluating on shards ends where the folder that was packed ends."""

import json
from pathlib import Path
from typing import Any

import pytest
from packed_trees import write_stripes
from runs import assert_same_bits, finish, small_run
from tiny_config import TINY

from resnext.api.train_settings import build_config
from resnext.cli import evaluate as evaluate_verb
from resnext.cli import pack as pack_verb
from resnext.cli.train import Train
from resnext.data.augment.config import AugmentConfig
from resnext.data.config import DataConfig
from resnext.data.sets.parse import parse_data
from resnext.evaluation.run import evaluate_run
from resnext.runs.config import ScheduleConfig, TrainConfig


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_stripes(tmp_path_factory.mktemp("trees") / "photos", 80, 40, "jpg")


@pytest.fixture(scope="module")
def packed(tree: Path) -> Path:
    folder = tree.with_name("packed")
    arguments = [str(tree), str(folder), "--shard-mib", "0.05", "--workers", "2"]
    assert pack_verb.main(arguments) == 0
    assert len(list(folder.glob("train-*.tar"))) > 2
    return folder


def settings(data: DataConfig, **changes: Any) -> TrainConfig:
    return small_run(
        model=TINY,
        data=data.replace(image_size_px=24, workers=2),
        augment=AugmentConfig(crop="resized", flip=True, color_jitter=0.2, mixup=0.2),
        schedule=ScheduleConfig(kind="cosine", epochs=2),
        batch_size=16,
        **changes,
    )


def test_training_on_shards_ends_with_the_weights_of_training_on_the_folder(
    tree: Path, packed: Path, tmp_path: Path
) -> None:
    figures = []
    for name, root in (("folder", tree), ("shards", packed)):
        finish(settings(parse_data(str(root))), tmp_path / name)
        figures.append(evaluate_run(tmp_path / name))
    assert_same_bits(tmp_path / "shards", tmp_path / "folder")
    assert figures[0]["top1_error"] == figures[1]["top1_error"]
    assert figures[0]["loss"] == figures[1]["loss"]


def test_a_run_on_the_folder_is_evaluated_on_reduced_shards(tree: Path, tmp_path: Path) -> None:
    small = tmp_path / "small"
    assert pack_verb.main([str(tree), str(small), "--short-side", "28", "--workers", "1"]) == 0
    finish(settings(parse_data(str(tree))), tmp_path / "run")
    out = tmp_path / "figures.json"
    arguments = [str(tmp_path / "run"), "--data", str(small), "--quiet", "--out", str(out)]
    assert evaluate_verb.main([*arguments, "--device", "cpu"]) == 0
    assert json.loads(out.read_text())["num_images"] == 40


def test_the_command_line_takes_a_packed_folder(packed: Path) -> None:
    config = build_config(Train(data=str(packed), model="resnext29_8x64d"))
    assert config.data == DataConfig(name="shards", root=packed)
