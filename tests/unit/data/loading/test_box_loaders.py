"""Batches with boxes: a function of seed, epoch and image, and boxes follow what they surround."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from box_folders import HEIGHT, WIDTH, write_boxes

from resnext.data.augment.config import AugmentConfig
from resnext.data.bad_files import BadFiles
from resnext.data.boxes.rows import LABEL
from resnext.data.config import DataConfig
from resnext.data.loading.batch import Batch
from resnext.data.loading.box_loader import BoxEvalLoader, BoxTrainLoader
from resnext.data.loading.config import LoaderConfig, TrainLoaderConfig
from resnext.data.sets.load import load_data
from resnext.data.split import DataSet
from resnext.errors import ConfigError

CPU = torch.device("cpu")
RATIO = WIDTH / HEIGHT


@pytest.fixture
def data(tmp_path: Path) -> DataSet:
    write_boxes(tmp_path / "set", 20)
    return load_data(DataConfig(name="coco", root=tmp_path / "set", image_size_px=HEIGHT))


def batches_of(
    data: DataSet,
    *,
    epoch: int = 1,
    rank: int = 0,
    world_size: int = 1,
    first_step: int = 0,
    workers: int = 0,
    bad_files: BadFiles | None = None,
    with_masks: bool = False,
    **changes: object,
) -> list[Batch]:
    augment = AugmentConfig(crop="objects", scale=(0.8, 1.2), flip=True).replace(**changes)
    config = TrainLoaderConfig(
        augment=augment,
        seed=3,
        batch_size=6,
        device=CPU,
        workers=workers,
        rank=rank,
        world_size=world_size,
    )
    loader = BoxTrainLoader(data.train, data.info, config, RATIO, bad_files, with_masks=with_masks)
    return list(loader.epoch(epoch, first_step))


def objects(batch: Batch) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Return each image without padding, with the rows of its objects."""
    assert batch.sizes_b2 is not None
    return [
        (image[:, :height, :width], rows[~rows[:, LABEL].isnan()])
        for image, rows, (height, width) in zip(
            batch.images_bchw, batch.targets_b, batch.sizes_b2.tolist(), strict=True
        )
    ]


@pytest.mark.parametrize("crop", ["none", "scaled", "objects"])
def test_boxes_follow_what_they_surround(data: DataSet, crop: str) -> None:
    num_objects = 0
    for epoch in range(3):
        for batch in batches_of(data, epoch=epoch, crop=crop):
            for image, rows in objects(batch):
                for left, top, right, bottom, label, *_ in rows.tolist():
                    channel, other = (0, 1) if label == 0 else (1, 0)
                    is_color = (image[channel] > 0.6) & (image[other] < 0.4)
                    inside = is_color[round(top) : round(bottom), round(left) : round(right)]
                    assert inside.float().mean() > 0.8  # its border is interpolated
                    num_objects += 1
                # pixels outside all boxes are dark, but for objects of which too little is left
                if crop != "objects":
                    dark = image.amax(dim=0) < 0.6
                    for left, top, right, bottom, *_ in rows.tolist():
                        rows_, columns = (
                            slice(int(top) - 1 if top >= 1 else 0, int(bottom) + 2),
                            slice(int(left) - 1 if left >= 1 else 0, int(right) + 2),
                        )
                        dark[rows_, columns] = True
                    assert bool(dark.all())
    assert num_objects > 30


@pytest.mark.parametrize("crop", ["none", "objects"])
def test_masks_follow_their_boxes(data: DataSet, crop: str) -> None:
    num_objects = 0
    for batch in batches_of(data, crop=crop, with_masks=True):
        assert batch.object_masks is not None
        for (image, rows), masks in zip(objects(batch), batch.object_masks, strict=True):
            assert masks.shape == (len(rows), *image.shape[1:])
            for (left, top, right, bottom, *_), mask in zip(rows.tolist(), masks, strict=True):
                inside = mask[round(top) : round(bottom), round(left) : round(right)]
                assert inside.float().mean() > 0.8  # the nearest pixel
                assert int(mask.sum()) <= 1.05 * inside.sum() + 2 * (right - left + bottom - top)
                num_objects += 1
    assert num_objects > 10


def test_an_image_occurs_once_an_epoch_and_empty_ones_stay(data: DataSet) -> None:
    batches = batches_of(data)
    seen = torch.cat([batch.indices_b for batch in batches])
    assert sorted(seen.tolist()) == list(range(len(data.train)))
    assert any(not len(rows) for batch in batches for _, rows in objects(batch))
    assert sum(batch.global_size for batch in batches) == len(data.train)


def test_few_batches_mix_wide_and_tall_images(data: DataSet) -> None:
    shapes = data.train.shapes_n2
    assert shapes is not None
    is_tall = shapes[:, 0] > shapes[:, 1]
    mixed = [len(set(is_tall[batch.indices_b].tolist())) == 2 for batch in batches_of(data)]
    assert sum(mixed) <= 1
    first = [batch.indices_b.tolist() for batch in batches_of(data, epoch=1)]
    assert first != [batch.indices_b.tolist() for batch in batches_of(data, epoch=2)]


def same(one: Batch, two: Batch) -> bool:
    assert one.sizes_b2 is not None
    assert two.sizes_b2 is not None
    pairs = (
        (one.images_bchw, two.images_bchw),
        (one.targets_b.nan_to_num(-1), two.targets_b.nan_to_num(-1)),
        (one.sizes_b2, two.sizes_b2),
        (one.indices_b, two.indices_b),
    )
    return all(torch.equal(first, second) for first, second in pairs)


def test_batches_depend_on_seed_and_epoch_alone(data: DataSet) -> None:
    batches = batches_of(data, color_jitter=0.3)
    torch.manual_seed(99)
    again = batches_of(data, color_jitter=0.3)
    assert all(map(same, batches, again))
    rest = batches_of(data, color_jitter=0.3, first_step=2)
    assert len(rest) == len(batches) - 2
    assert all(map(same, batches[2:], rest))
    other = batches_of(data, color_jitter=0.3, epoch=2)
    assert not any(map(same, batches, other))


@pytest.mark.slow
def test_workers_change_nothing(data: DataSet) -> None:
    assert all(map(same, batches_of(data), batches_of(data, workers=2)))


def test_processes_share_a_batch(data: DataSet) -> None:
    whole = batches_of(data)
    parts = [batches_of(data, rank=rank, world_size=2) for rank in range(2)]
    for batch, *shares in zip(whole, *parts, strict=True):
        indices = torch.cat([share.indices_b for share in shares])
        assert torch.equal(indices, batch.indices_b)
        assert {share.global_size for share in shares} == {batch.global_size}
        rows = [rows for share in shares for _, rows in objects(share)]
        for expected, found in zip(objects(batch), rows, strict=True):
            assert torch.equal(expected[1], found)


def test_validation_sees_whole_images_in_order_with_all_their_objects(data: DataSet) -> None:
    config = LoaderConfig(batch_size=4, device=CPU)
    loader = BoxEvalLoader(data.val, data.info, config, RATIO)
    batches = list(loader)
    assert len(loader) == len(batches) == len(data.val)
    reader = data.val.reader(3)
    for index, batch in enumerate(batches):
        (image, rows), truth = objects(batch)[0], reader.objects(index)
        assert image.shape[1:] == (truth.height, truth.width)
        assert torch.equal(rows[:, :4], torch.from_numpy(truth.boxes_n4))
        assert batch.indices_b.tolist() == [index]


def test_a_damaged_file_is_replaced_and_recorded(data: DataSet, tmp_path: Path) -> None:
    (tmp_path / "set" / "train" / "003.png").write_bytes(b"no image")
    bad_files = BadFiles(1000)
    batches = batches_of(data, bad_files=bad_files)
    assert [Path(row["path"]).name for row in bad_files.rows] == ["003.png"]
    assert sum(len(batch.indices_b) for batch in batches) == len(data.train)


def test_an_image_of_another_size_than_its_annotations_say_is_bad(tmp_path: Path) -> None:
    write_boxes(tmp_path / "set", 20)
    path = tmp_path / "set" / "train" / "_annotations.coco.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    values["images"][4]["width"] += 1
    path.write_text(json.dumps(values), encoding="utf-8")
    data = load_data(DataConfig(name="coco", root=tmp_path / "set", image_size_px=HEIGHT))
    bad_files = BadFiles(1000)
    batches_of(data, bad_files=bad_files)
    (row,) = bad_files.rows
    assert "64x48 pixels, but its annotations say 65x48" in row["reason"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"crop": "resized"}, "augment.crop=resized cannot be combined with boxes"),
        ({"policy": "randaugment"}, "augment.policy=randaugment cannot be combined with boxes"),
        ({"erasing": 0.1}, "augment.erasing=0.1"),
        ({"lighting": 0.1}, "augment.lighting=0.1"),
        ({"mixup": 0.2}, "augment.mixup"),
    ],
)
def test_variation_that_boxes_cannot_follow_is_refused(
    data: DataSet, change: dict[str, Any], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        batches_of(data, **change)
