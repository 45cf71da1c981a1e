"""The recipe for boxes: its schedule, its size, and what is frozen."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnext.data.config import DataConfig
from resnext.errors import ConfigError
from resnext.model.config import DetectorConfig
from resnext.model.names import config_from
from resnext.recipes.detection import (
    default_detector,
    detection,
    fit_size,
    num_epochs,
    paper,
    put_detector,
)
from resnext.recipes.photos import PhotoFacts
from resnext.runs.config import TrainConfig
from resnext.training.schedule import lr_factor, peak_lr

GPU, CPU = PhotoFacts(118_000, 480, has_gpu=True), PhotoFacts(200, 480, has_gpu=False)
COCO = DataConfig(name="coco", root=Path("/coco"))


def recipe(facts: PhotoFacts, **changes: object) -> TrainConfig:
    model = fit_size(default_detector(facts, None), COCO, facts)
    return detection(model.replace(**changes), COCO, facts, Path("weights"))


def test_coco_on_a_gpu_gets_the_1x_schedule_of_retinanet() -> None:
    config = recipe(GPU)
    assert config.schedule.epochs == 12
    assert (config.batch_size, peak_lr(config.optim, 16)) == (16, 0.01)
    assert (config.optim.kind, config.optim.momentum, config.optim.weight_decay) == (
        "sgd",
        0.9,
        1e-4,
    )
    factors = [lr_factor(config.schedule, step, 12_000) for step in (1_000, 8_001, 11_001)]
    assert factors == pytest.approx([1.0, 0.1, 0.01])
    assert lr_factor(config.schedule, 0, 12_000) < 0.01
    assert isinstance(config.model, DetectorConfig)
    assert (config.model.min_size_px, config.model.max_size_px) == (800, 1333)
    assert config.model.pyramid_channels == 256


def test_networks_with_regions_have_twice_the_rate() -> None:
    assert recipe(GPU, family="faster_rcnn").optim.lr == 0.02


def test_small_sets_are_seen_more_often_but_not_without_end() -> None:
    assert num_epochs(118_000) == 12
    assert num_epochs(1_000) == 22
    assert num_epochs(50) == 60


def test_a_cpu_gets_smaller_images_anchors_and_heads() -> None:
    model = recipe(CPU).model
    assert isinstance(model, DetectorConfig)
    assert (model.min_size_px, model.max_size_px) == (320, 533)
    assert (model.anchor_sizes_px[0], model.pyramid_channels) == (16, 64)
    large = fit_size(default_detector(CPU, None), COCO.replace(image_size_px=640), CPU)
    assert (large.min_size_px, large.anchor_sizes_px[0]) == (640, 32)


def test_from_trained_weights_norms_and_first_stages_are_frozen() -> None:
    model = default_detector(CPU, None)
    scratch, tuned = (detection(model, COCO, CPU, name) for name in (None, Path("weights")))
    for config, is_tuned in ((scratch, False), (tuned, True)):
        assert isinstance(config.model, DetectorConfig)
        assert config.model.frozen_norm == is_tuned
        assert config.freeze_until == int(is_tuned)
        assert config.optim.kind == ("sgd" if is_tuned else "adamw")


def test_the_papers_recipe_is_that_of_appendix_b() -> None:
    model = put_detector(config_from("resnext50_32x4d"), "faster_rcnn_c4", GPU)
    config = paper(model, COCO, Path("weights"))
    num_images = 8 * 180_000
    assert config.schedule.epochs == pytest.approx(num_images / 115_000, abs=0.6)
    factors = [lr_factor(config.schedule, step, 180_000) for step in (0, 119_999, 120_001)]
    assert [0.005 * factor for factor in factors] == pytest.approx([0.005, 0.005, 0.0005])
    assert (peak_lr(config.optim, config.batch_size), config.optim.weight_decay) == (0.005, 1e-4)
    assert isinstance(config.model, DetectorConfig)
    assert config.model.frozen_norm
    assert (config.model.min_size_px, config.model.max_size_px) == (600, 1000)


def test_a_head_is_put_on_a_backbone() -> None:
    segmenter = config_from("deeplabv3_resnext50_32x4d")
    found = put_detector(segmenter, "faster_rcnn", GPU)
    assert (found.family, found.backbone.output_stride) == ("faster_rcnn", None)
    named = config_from("retinanet_resnet18")
    assert put_detector(named, None, CPU) == named
    with pytest.raises(ConfigError, match="--head faster_rcnn: the network is retinanet_resnet18"):
        put_detector(named, "faster_rcnn", CPU)
    with pytest.raises(ConfigError, match="boxes need a residual network"):
        put_detector(config_from("vgg16_bn"), None, CPU)
