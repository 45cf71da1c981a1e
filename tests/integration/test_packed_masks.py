"""Training, resuming and evaluating on packed masks end where their folder ends."""

from pathlib import Path

import pytest
from mask_folders import tiny_segmenter, write_shapes
from runs import assert_same_bits, finish, finish_killed_at_random, small_run

from resnext.api.train_settings import build_config
from resnext.cli import pack as pack_verb
from resnext.cli.train import Train
from resnext.data.augment.config import AugmentConfig
from resnext.data.config import DataConfig
from resnext.data.sets.parse import parse_data
from resnext.evaluation.run import evaluate_run
from resnext.runs.config import ScheduleConfig, TrainConfig


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("masks") / "shapes"
    write_shapes(folder, num=40)
    arguments = [str(folder), str(folder.with_name("packed")), "--shard-mib", "0.01"]
    assert pack_verb.main([*arguments, "--workers", "2"]) == 0
    return folder


def settings(data: DataConfig, workers: int = 0) -> TrainConfig:
    return small_run(
        model=tiny_segmenter(),
        data=data.replace(image_size_px=16, workers=workers),
        augment=AugmentConfig(crop="scaled", flip=True, color_jitter=0.2),
        schedule=ScheduleConfig(kind="poly", epochs=3),
        batch_size=8,
        checkpoint_minutes=0.0001,
    )


@pytest.mark.slow
def test_a_killed_run_on_shards_ends_with_the_weights_of_the_folder(
    shapes: Path, tmp_path: Path
) -> None:
    finish(settings(parse_data(str(shapes))), tmp_path / "folder")
    packed = settings(parse_data(str(shapes.with_name("packed"))), workers=1)
    finish_killed_at_random(packed, tmp_path / "shards", (4.0, 4.0), num_kills=1)
    assert_same_bits(tmp_path / "shards", tmp_path / "folder")
    wanted, found = evaluate_run(tmp_path / "folder"), evaluate_run(tmp_path / "shards")
    for key in ("mean_iou", "loss", "confusion", "per_class", "num_images"):
        assert found[key] == wanted[key]


def test_the_command_line_chooses_the_settings_of_the_folder(shapes: Path) -> None:
    folder, packed = (
        build_config(Train(data=str(root))) for root in (shapes, shapes.with_name("packed"))
    )
    assert packed.data.name == "shards"
    assert packed.data.image_size_px == folder.data.image_size_px
    assert packed.replace(data=folder.data) == folder
