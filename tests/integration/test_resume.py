"""A run that is killed and resumed ends with the bits of the run that was not."""

import itertools
import random
import shutil
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from PIL import Image
from runs import assert_same_bits, epoch_rows, finish, settings_of, small_run, start

from resnext.data.augment.config import AugmentConfig
from resnext.data.config import DataConfig
from resnext.errors import DataError
from resnext.runs.config import ScheduleConfig, TrainConfig
from resnext.runs.folder import open_run
from resnext.training.display import Display
from resnext.training.target import RunTarget
from resnext.training.train import train

NUM_KILLS = 20


def _everything_on() -> TrainConfig:
    """Workers, augmentation image by image, mixing, averaged weights, saves in mid-epoch."""
    return small_run(
        data=DataConfig(name="digits", workers=2),
        augment=AugmentConfig(crop="pad", pad_px=1, policy="trivialaugment", mixup=0.4, cutmix=1.0),
        ema_decay=0.9,
        checkpoint_minutes=0.001,
        seed=5,
    )


@pytest.mark.slow
def test_twenty_kills_at_random_moments_change_no_bit(tmp_path: Path) -> None:
    config, draw = _everything_on(), random.Random(0)
    reference = tmp_path / "reference"
    finish(config, reference)
    in_write = in_epoch = kills = 0
    for number in itertools.count():
        run = tmp_path / f"run{number}"
        while kills < NUM_KILLS:
            process = start(settings_of(run, config), run)
            _wait(process, run, draw, until=(_is_writing, _is_in_mid_epoch, None)[kills % 3])
            if not process.is_alive():
                break
            process.kill()
            process.join()
            kills += 1
            in_write += any(run.glob("*.partial"))
            in_epoch += _is_in_mid_epoch(run)
            if not (run / "config.yaml").exists():
                shutil.rmtree(run, ignore_errors=True)  # killed before there was a run
        finish(settings_of(run, config), run)
        assert_same_bits(run, reference)
        assert epoch_rows(run) == epoch_rows(reference)
        if kills == NUM_KILLS:
            break
    assert in_write > 0
    assert in_epoch > 0


def test_resuming_a_finished_run_changes_nothing(tmp_path: Path) -> None:
    config = small_run()
    finish(config, tmp_path / "once")
    shutil.copytree(tmp_path / "once", tmp_path / "twice")
    finish(open_run(tmp_path / "twice"), tmp_path / "twice")
    assert_same_bits(tmp_path / "twice", tmp_path / "once")
    assert epoch_rows(tmp_path / "twice") == epoch_rows(tmp_path / "once")


def test_the_resolved_config_reproduces_the_run(tmp_path: Path) -> None:
    finish(small_run(), tmp_path / "first")
    finish(open_run(tmp_path / "first"), tmp_path / "second")
    assert_same_bits(tmp_path / "second", tmp_path / "first")


def test_another_seed_is_another_run(tmp_path: Path) -> None:
    finish(small_run(), tmp_path / "first")
    finish(small_run(seed=1), tmp_path / "second")
    assert epoch_rows(tmp_path / "first") != epoch_rows(tmp_path / "second")


def test_a_run_does_not_go_on_with_other_images(tmp_path: Path) -> None:
    photos, run = tmp_path / "photos", tmp_path / "run"
    for number in range(60):
        folder = photos / f"class{number % 3}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), number).save(folder / f"{number:02}.png")
    data = DataConfig(name="folder", root=photos, image_size_px=8, workers=0)
    schedule = ScheduleConfig(epochs=1)
    train(small_run(data=data, schedule=schedule), RunTarget(out=run), Display("quiet"))
    train(open_run(run), RunTarget(resume=run), Display("quiet"))

    shutil.copytree(photos / "class2", photos / "class3")
    with pytest.raises(DataError, match="new: 'class3'"):
        train(open_run(run), RunTarget(resume=run), Display("quiet"))
    shutil.rmtree(photos / "class3")
    (photos / "class1").rename(photos / "class9")
    same = open_run(run)
    for target in (RunTarget(resume=run), RunTarget(out=run, goes_on=True)):
        with pytest.raises(DataError, match="new: 'class9'; gone: 'class1'"):
            train(same, target, Display("quiet"))
    (run / "classes.json").unlink()  # as in a run of an earlier version
    train(same, RunTarget(resume=run), Display("quiet"))


def _wait(
    process: BaseProcess,
    run: Path,
    draw: random.Random,
    *,
    until: Callable[[Path], bool] | None,
) -> None:
    """Wait for a random moment of the training, and then for a certain state of the run."""
    end = time.monotonic() + draw.uniform(0.3, 1.5)
    while process.is_alive() and time.monotonic() < end:
        time.sleep(0.001)
    while process.is_alive() and until is not None and not until(run):
        time.sleep(0.0005)


def _is_writing(run: Path) -> bool:
    return any(run.glob("last*.partial"))


def _is_in_mid_epoch(run: Path) -> bool:
    import json

    from safetensors import safe_open

    if not (run / "last.safetensors").exists():
        return False
    with safe_open(run / "last.safetensors", framework="pt") as file:
        return bool(json.loads(file.metadata()["position"])["step"] > 0)
