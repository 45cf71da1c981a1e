"""What is measured where any number of labels applies. Legend: n images, k labels."""

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score

from resnext.data.array_split import ArraySplit
from resnext.data.loading.batch import Batch
from resnext.errors import CheckpointError, ConfigError, DataError
from resnext.tasks.kinds import build_task, fit_task
from resnext.tasks.multilabel.result import MultiLabelResult
from resnext.tasks.multilabel.task import MultiLabel
from resnext.tasks.task import TaskOptions

CLASSES = ("red", "round", "ripe")
NO_IMAGES = torch.zeros(0, 1, 1, 1, dtype=torch.uint8)


def task(**options: object) -> MultiLabel:
    built = build_task("multilabel", TaskOptions(CLASSES, **options))  # type: ignore[arg-type]  # any of them
    assert isinstance(built, MultiLabel)
    return built


def images(num: int = 40, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits_nk = torch.randn(num, 3, generator=generator)
    targets_nk = torch.randint(-1, 2, (num, 3), generator=generator, dtype=torch.int8)
    return logits_nk, targets_nk


def measured(thresholds: tuple[float, ...] = (), *, parts: int = 1) -> MultiLabelResult:
    logits_nk, targets_nk = images()
    tally = task(thresholds=thresholds).tally(full=True)
    for rows in torch.arange(len(logits_nk)).flip(0).chunk(parts):
        tally.add(logits_nk[rows], targets_nk[rows], rows)
    return tally.result()


def test_the_mean_ap_is_that_of_scikit_learn_over_the_known_labels() -> None:
    logits_nk, targets_nk = images()
    expected = []
    for k in range(3):
        known_n = targets_nk[:, k] >= 0
        expected.append(average_precision_score(targets_nk[known_n, k] == 1, logits_nk[known_n, k]))
    assert measured().mean_ap == pytest.approx(100 * np.mean(expected))


def test_the_order_and_the_number_of_batches_change_nothing() -> None:
    one, many = measured(), measured(parts=7)
    assert one.as_dict(CLASSES) == many.as_dict(CLASSES)
    assert one.indices_n.tolist() == list(range(40))


def test_thresholds_are_the_networks_or_those_of_the_images() -> None:
    chosen = measured()
    assert chosen.card_fields() == {"thresholds": chosen.chosen_thresholds}
    again = measured(chosen.chosen_thresholds)
    ours, theirs = chosen.as_dict(CLASSES), again.as_dict(CLASSES)
    assert (ours.pop("thresholds_from"), theirs.pop("thresholds_from")) == (
        "these images",
        "the weights",
    )
    assert ours == theirs
    lower = measured((0.0, 0.0, 0.0))
    assert lower.as_dict(CLASSES)["macro_f1"] < chosen.as_dict(CLASSES)["macro_f1"]


def test_guessing_has_each_labels_share() -> None:
    targets_nk = torch.tensor([[1, 0, 0], [1, 1, 0], [0, -1, 0], [0, 0, 0]], dtype=torch.int8)
    # half of the first label, a third of the known second, and none of the third
    split = ArraySplit(NO_IMAGES, targets_nk)
    guess = task().guess(split, split)
    assert guess == pytest.approx((50.0 + 100.0 / 3) / 2)
    tally = task().tally(full=True)
    tally.add(torch.zeros(4, 3), targets_nk, torch.arange(4))
    assert tally.result().mean_ap == pytest.approx(guess)


def test_the_figure_of_training_is_the_share_of_wrong_labels() -> None:
    logits_bk = torch.tensor([[1.0, -1.0, 2.0], [1.0, 1.0, -1.0]])
    targets_bk = torch.tensor([[1, 1, -1], [0, 0, 0]], dtype=torch.int8)
    batch = Batch(torch.zeros(2, 1, 1, 1), targets_bk, torch.arange(2), 2)
    assert float(task().train_sum(logits_bk, batch)) == pytest.approx(1 / 2 + 2 / 3)


def test_the_probabilities_of_views_are_averaged() -> None:
    logits_bk = torch.tensor([[2.0, 0.0, -3.0], [0.0, 0.0, 5.0]])
    merged_bk = task().merge_views(logits_bk, 2)
    assert torch.allclose(merged_bk.sigmoid(), logits_bk.double().sigmoid().mean(0, keepdim=True))


def test_outputs_that_are_no_numbers_are_refused_and_no_images_too() -> None:
    tally = task().tally(full=True)
    with pytest.raises(DataError, match="no image"):
        tally.result()
    _, targets_nk = images()
    tally.add(torch.full((40, 3), torch.nan), targets_nk, torch.arange(40))
    with pytest.raises(CheckpointError, match="not numbers"):
        tally.result()
    quick = task().tally(full=False)  # an epoch of a training that diverges
    quick.add(torch.full((40, 3), torch.nan), targets_nk, torch.arange(40))
    assert np.isnan(quick.result().loss)
    assert quick.result().mean_ap >= 0.0


def test_options_of_other_tasks_are_refused() -> None:
    with pytest.raises(ConfigError, match="loss=cross_entropy: multilabel takes bce, asymmetric"):
        task(loss="cross_entropy")
    with pytest.raises(ConfigError, match="loss=asymmetric"):
        task(class_weights_k=torch.ones(3))


def test_the_task_follows_from_the_data() -> None:
    assert fit_task("classification", "class").name == "classification"
    assert fit_task("classification", "labels").name == "multilabel"
    assert fit_task("multilabel", "labels").name == "multilabel"
    with pytest.raises(ConfigError, match="task=multilabel needs targets of the kind 'labels'"):
        fit_task("multilabel", "class")
    with pytest.raises(ConfigError, match="no such task; accepted are classification, multilabel"):
        fit_task("sorting", "class")
    with pytest.raises(ConfigError, match="there is no task for targets of the kind 'number'"):
        fit_task("classification", "number")
