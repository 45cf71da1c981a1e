"""Finding objects as a task: targets, parts of the loss, and a validation that changes nothing."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from box_folders import HEIGHT, NAMES, TINY_DETECTOR, WIDTH, write_boxes
from torch import nn

from resnext.data.augment.config import AugmentConfig
from resnext.data.config import DataConfig
from resnext.data.loading.batch import Batch
from resnext.data.loading.box_loader import BoxEvalLoader, BoxTrainLoader
from resnext.data.loading.config import LoaderConfig, TrainLoaderConfig
from resnext.data.sets.load import load_data
from resnext.errors import ConfigError
from resnext.model.create import create_model
from resnext.tasks.detection.network import LOSS_PARTS, Found, sum_parts, targets_of
from resnext.tasks.detection.tally import DetectionTally
from resnext.tasks.detection.task import Detection
from resnext.tasks.kinds import build_task, fit_task
from resnext.tasks.task import TaskOptions

pytest.importorskip("faster_coco_eval")
TASK = Detection(TaskOptions(NAMES))


@pytest.fixture(scope="module")
def batches(tmp_path_factory: pytest.TempPathFactory) -> list[Batch]:
    root = tmp_path_factory.mktemp("boxes") / "set"
    write_boxes(root, 15)
    data = load_data(DataConfig(name="coco", root=root, image_size_px=HEIGHT))
    config = LoaderConfig(batch_size=1, device=torch.device("cpu"))
    return list(BoxEvalLoader(data.val, data.info, config, WIDTH / HEIGHT))


def detector(family: str = "retinanet") -> nn.Module:
    torch.manual_seed(0)
    return create_model(TINY_DETECTOR.replace(family=family)).eval()


def predict(network: nn.Module, batch: Batch) -> Found:
    with torch.no_grad():
        return TASK.predict(network, batch)


def row(left: float, top: float, right: float, bottom: float, crowd: int = 0) -> list[float]:
    return [left, top, right, bottom, 1, crowd, 10]


def test_targets_have_no_crowds_padding_or_boxes_without_area() -> None:
    nothing = [float("nan")] * 7
    rows = [row(1, 2, 9, 8), row(0, 0, 5, 5, crowd=1), row(3, 3, 3 + 1e-9, 9), nothing]
    batch = Batch(torch.zeros(1, 3, 10, 10), torch.tensor([rows]), torch.tensor([0]), 1)
    (target,) = targets_of(batch)
    assert target["boxes"].tolist() == [[1, 2, 9, 8]]
    assert target["labels"].tolist() == [2]  # 0 is the background
    (other,) = targets_of(batch, outputs_k=[4, 7])
    assert other["labels"].tolist() == [8]


def test_parts_have_the_same_names_for_all_heads() -> None:
    ones = {name: torch.tensor(value) for name, value in (("classification", 1.0),)}
    parts = sum_parts({**ones, "bbox_regression": torch.tensor(2.0)})
    assert dict(zip(LOSS_PARTS, parts, strict=True)) == {
        "class": 1,
        "box": 2,
        "objectness": 0,
        "proposal": 0,
        "mask": 0,
    }
    names = ("loss_classifier", "loss_box_reg", "loss_objectness", "loss_rpn_box_reg", "loss_mask")
    losses = {name: torch.tensor(float(number)) for number, name in enumerate(names)}
    assert [float(part) for part in sum_parts(losses)] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("family", ["retinanet", "faster_rcnn", "mask_rcnn"])
def test_validation_changes_neither_the_network_nor_the_random_numbers(
    family: str, batches: list[Batch]
) -> None:
    network = detector(family)
    before, state = copy.deepcopy(network.state_dict()), torch.random.get_rng_state()
    found = [predict(network, batch) for batch in batches]
    assert all(np.isfinite(item.losses).all() for item in found)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert not any(module.training for module in network.modules())
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name]), name
    again = [predict(network, batch) for batch in reversed(batches)][::-1]
    assert [item.losses for item in found] == [item.losses for item in again]


def test_mask_r_cnn_learns_masks(tmp_path: Path) -> None:
    write_boxes(tmp_path / "set", 6)
    data = load_data(DataConfig(name="coco", root=tmp_path / "set", image_size_px=HEIGHT))
    config = TrainLoaderConfig(
        augment=AugmentConfig(flip=True), seed=0, batch_size=6, device=torch.device("cpu")
    )
    loader = BoxTrainLoader(data.train, data.info, config, WIDTH / HEIGHT, with_masks=True)
    (batch,) = loader.epoch(0)
    network = detector("mask_rcnn").train()
    outputs = network(*TASK.inputs(batch))
    parts = dict(
        zip(LOSS_PARTS, (part.detach() for part in TASK.part_sums(outputs, batch)), strict=True)
    )
    assert all(float(part) > 0 for part in parts.values())
    loss = TASK.loss(outputs, batch)
    assert float(sum(parts.values())) == pytest.approx(6 * float(loss.detach()), rel=1e-5)
    torch.autograd.backward(loss)
    mask_head = network.get_submodule("roi_heads.mask_predictor.mask_fcn_logits")
    assert all(bool(p.grad is not None and p.grad.abs().sum() > 0) for p in mask_head.parameters())


def test_a_network_that_computes_no_losses_has_none(batches: list[Batch]) -> None:
    class Exported(nn.Module):
        def forward(self, images: list[torch.Tensor]) -> list[dict[str, torch.Tensor]]:
            empty = torch.zeros(0)
            return [{"boxes": empty.view(0, 4), "scores": empty, "labels": empty.long()}] * len(
                images
            )

    found = predict(Exported().eval(), batches[0])
    assert np.isnan(found.losses).all()
    assert found.rows[0].shape == (0, 6)


def test_figures_do_not_depend_on_who_saw_which_image(batches: list[Batch]) -> None:
    network = detector()
    found = [predict(network, batch) for batch in batches]
    results = []
    for order in (range(len(batches)), reversed(range(len(batches)))):
        tally = TASK.tally(full=True)
        for number in order:
            batch = batches[number]
            tally.add(found[number], batch.targets_b, batch.indices_b)
        results.append(tally.result())
    first, second = results
    assert first.as_dict(NAMES) == second.as_dict(NAMES)
    assert list(first.judged) == list(second.judged) == list(range(len(batches)))
    assert first.num_images == len(batches)
    assert first.loss == pytest.approx(np.mean([item.losses[0] for item in found]))


def test_true_boxes_found_again_are_100_percent(batches: list[Batch]) -> None:
    tally = DetectionTally(NAMES, full=True)
    for batch in batches:
        assert batch.sizes_b2 is not None
        rows = batch.targets_b[0].numpy()
        found = np.concatenate([rows[:, :4], np.full((len(rows), 1), 0.9), rows[:, 4:5]], axis=1)
        height, width = batch.sizes_b2[0].tolist()
        tally.add(Found([found], [(height, width)], [0.5]), batch.targets_b, batch.indices_b)
    result = tally.result()
    assert result.figures() == {
        "ap": pytest.approx(100),
        "ap50": pytest.approx(100),
        "ap75": pytest.approx(100),
        "ar100": pytest.approx(100),
        "loss": 0.5,
    }
    assert not any(judged.errors for judged in result.judged.values())


def test_the_task_follows_from_the_data() -> None:
    assert fit_task("classification", "boxes").name == "detection"
    assert isinstance(build_task("detection", TaskOptions(NAMES)), Detection)


def test_options_for_one_class_per_image_are_refused() -> None:
    with pytest.raises(ConfigError, match="class_weights and --balance"):
        Detection(TaskOptions(NAMES, class_weights_k=torch.ones(2)))
    with pytest.raises(ConfigError, match=r"label_smoothing=0\.1"):
        Detection(TaskOptions(NAMES, label_smoothing=0.1))
