"""Losses and figures of masks, held against torchmetrics, scikit-learn and formulas."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.metrics import jaccard_score

from resnext.data.array_split import ArraySplit
from resnext.data.loading.batch import Batch
from resnext.data.targets import IGNORED
from resnext.errors import CheckpointError, ConfigError, DataError
from resnext.tasks.kinds import build_task
from resnext.tasks.segmentation.loss import dice_losses, image_losses
from resnext.tasks.segmentation.result import SegmentationResult
from resnext.tasks.segmentation.task import Segmentation
from resnext.tasks.task import Task, TaskOptions

NUM = 4
CLASSES = tuple("abcd")
NO_IMAGES = torch.zeros(0, 1, 1, 1, dtype=torch.uint8)


def task_of(**options: object) -> Task:
    return build_task("segmentation", TaskOptions(CLASSES, **options))  # type: ignore[arg-type]


def draw(num: int = 5, side: int = 9, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Return scores and masks; class 3 occurs nowhere, an image has no class at all."""
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(num, NUM, side, side + 2, generator=generator)
    scores[:, 3] -= 50.0
    masks = torch.randint(0, 3, (num, side, side + 2), generator=generator)
    masks[torch.rand(masks.shape, generator=generator) < 0.2] = IGNORED
    masks[2] = IGNORED
    return scores, masks.to(torch.uint8)


def batch_of(masks: torch.Tensor) -> Batch:
    num = len(masks)
    return Batch(torch.zeros(num, 3, 1, 1), masks, torch.arange(num), num)


def measure(scores: torch.Tensor, masks: torch.Tensor, *, full: bool = True) -> SegmentationResult:
    tally = Segmentation(TaskOptions(CLASSES)).tally(full=full)
    for start in range(0, len(masks), 2):  # batches
        numbers = torch.arange(start, min(start + 2, len(masks)))
        tally.add(scores[numbers], masks[numbers], numbers)
    return tally.result()


def test_iou_and_accuracy_are_those_of_scikit_learn() -> None:
    scores, masks = draw()
    result = measure(scores, masks)
    known = masks != IGNORED
    truth, found = masks[known].numpy(), scores.argmax(dim=1)[known].numpy()
    wanted = 100 * jaccard_score(truth, found, labels=[0, 1, 2], average=None)
    assert result.ious[:3] == pytest.approx(wanted.tolist())
    assert result.ious[3] is None
    assert result.mean_iou == pytest.approx(float(wanted.mean()))
    assert result.pixel_accuracy == pytest.approx(100 * float((truth == found).mean()))


def test_the_mean_iou_is_that_of_torchmetrics() -> None:
    metrics = pytest.importorskip("torchmetrics.classification")
    scores, masks = draw(seed=1)
    theirs = metrics.MulticlassJaccardIndex(3, ignore_index=IGNORED)
    theirs.update(scores.argmax(dim=1), masks.long())
    assert measure(scores, masks).mean_iou == pytest.approx(100 * float(theirs.compute()))


def test_a_class_that_is_predicted_but_not_there_counts_as_zero() -> None:
    masks = torch.zeros(1, 2, 2, dtype=torch.uint8)
    scores = torch.zeros(1, NUM, 2, 2)
    scores[0, 0], scores[0, 1, 0, 0] = 1.0, 2.0
    assert measure(scores, masks).ious == [75.0, 0.0, None, None]
    assert measure(scores, masks).mean_iou == 37.5


def test_the_loss_of_an_image_is_the_mean_over_its_known_pixels() -> None:
    scores, masks = draw()
    losses = image_losses(scores, masks)
    for index in (0, 1, 3, 4):
        wanted = F.cross_entropy(
            scores[index : index + 1], masks[index : index + 1].long(), ignore_index=IGNORED
        )
        assert float(losses[index]) == pytest.approx(float(wanted), rel=1e-5)
    assert float(losses[2]) == 0.0
    assert float(task_of().loss(scores, batch_of(masks))) == pytest.approx(float(losses.mean()))
    assert measure(scores, masks).loss == pytest.approx(float(losses.mean()))


@pytest.mark.parametrize("name", ["cross_entropy", "cross_entropy_dice"])
def test_parts_of_a_batch_add_up(name: str) -> None:
    scores, masks = draw()
    task = task_of(loss=name)
    whole = float(task.loss(scores, batch_of(masks)))
    parts = [(slice(0, 2), 2), (slice(2, 5), 3)]
    summed = sum(num * float(task.loss(scores[p], batch_of(masks[p]))) for p, num in parts)
    assert summed / 5 == pytest.approx(whole, rel=1e-6)


def test_dice_is_that_of_its_formula() -> None:
    scores, masks = draw()
    found = dice_losses(scores, masks)
    for index in range(2):
        known = (masks[index] != IGNORED).numpy()
        probs = scores[index].softmax(dim=0).numpy()[:, known]
        truth = np.eye(NUM)[masks[index].numpy()[known]].T
        shared, sums = (probs * truth).sum(axis=1), (probs + truth).sum(axis=1)
        dice = (2 * shared + 1) / (sums + 1)
        assert float(found[index]) == pytest.approx(1 - dice[:3].mean(), rel=1e-5)


def test_perfect_scores_have_nearly_no_loss() -> None:
    _, masks = draw()
    scores = 30.0 * F.one_hot(masks.long().clamp(max=3), NUM).movedim(-1, 1).float()
    assert float(task_of(loss="cross_entropy_dice").loss(scores, batch_of(masks))) < 1e-5


def test_the_train_figure_is_the_share_of_wrong_pixels_summed() -> None:
    scores, masks = draw()
    wrong = 0.0
    for score, mask in zip(scores, masks, strict=True):
        known = mask != IGNORED
        if known.any():
            wrong += float((score.argmax(dim=0)[known] != mask[known]).float().mean())
    assert float(task_of().train_sum(scores, batch_of(masks))) == pytest.approx(wrong)


def test_two_processes_count_what_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    scores, masks = draw(num=8, seed=3)
    whole = measure(scores, masks)
    tallies = []
    for rank in range(2):
        tally = Segmentation(TaskOptions(CLASSES)).tally(full=True)
        numbers = torch.arange(rank, 8, 2)
        tally.add(scores[numbers], masks[numbers], numbers)
        tallies.append(tally)
    other = tallies[1]

    def all_reduce(total: torch.Tensor) -> None:
        total += other._confusion_kk

    def gather(parts: list[object], own: object) -> None:
        parts[:] = [own, (other._losses, other._worst)]

    monkeypatch.setattr("torch.distributed.all_reduce", all_reduce)
    monkeypatch.setattr("torch.distributed.all_gather_object", gather)
    monkeypatch.setattr("torch.distributed.get_world_size", lambda: 2)
    tallies[0].add_other_processes(torch.device("cpu"))
    found = tallies[0].result()
    assert found.as_dict(CLASSES) == whole.as_dict(CLASSES)
    assert [image.index for image in found.worst] == [image.index for image in whole.worst]


def test_guessing_gives_every_pixel_the_class_that_training_has_most_of() -> None:
    train = ArraySplit(NO_IMAGES, torch.tensor([[10, 1, 0, 0], [2, 3, 0, 0]]))
    val = ArraySplit(NO_IMAGES, torch.tensor([[6, 1, 1, 0]]))
    masks = torch.tensor([[[0, 0, 0, 0], [0, 0, 1, 2]]], dtype=torch.uint8)
    scores = torch.zeros(1, NUM, 2, 4)
    scores[:, 0] = 1.0
    assert task_of().guess(train, val) == pytest.approx(measure(scores, masks).mean_iou)
    assert task_of().guess(train, val) == pytest.approx(100 * 6 / 8 / 3)


def test_the_worst_images_come_first_and_right_ones_do_not_come() -> None:
    _, masks = draw(num=5)
    scores = F.one_hot(masks.long().clamp(max=3), NUM).movedim(-1, 1).float()
    scores[3] = scores[3].roll(1, dims=0)
    result = measure(scores, masks)
    assert [image.index for image in result.worst] == [3]
    assert result.worst[0].error == 100.0
    assert np.array_equal(result.worst[0].mask_hw, scores[3].argmax(dim=0).numpy())


def test_figures_name_every_class() -> None:
    scores, masks = draw()
    figures = measure(scores, masks).as_dict(CLASSES)
    shares = [row["share"] for row in figures["per_class"].values()]
    assert math.fsum(shares) == pytest.approx(100.0)
    assert figures["per_class"]["d"] == {
        **dict.fromkeys(("iou", "accuracy", "precision")),
        "share": 0.0,
    }
    assert task_of().rows(figures)[0] == ("mIoU", f"{figures['mean_iou']:.2f} %")


def test_a_diverged_network_is_said_to_be_one() -> None:
    scores, masks = draw()
    with pytest.raises(CheckpointError, match="diverged"):
        measure(scores * math.nan, masks)
    assert math.isnan(measure(scores * math.nan, masks, full=False).loss)


def test_nothing_to_measure_is_an_error() -> None:
    with pytest.raises(DataError, match="no image"):
        Segmentation(TaskOptions(CLASSES)).tally(full=True).result()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "bce"}, "cross_entropy"),
        ({"class_weights_k": torch.ones(4)}, "cross_entropy_dice"),
    ],
)
def test_options_of_other_tasks_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        task_of(**options)
