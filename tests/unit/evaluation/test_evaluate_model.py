import multiprocessing
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from loaders import eval_loader
from tasks import classifier
from torch import nn

from resnext.data.array_split import ArraySplit
from resnext.data.config import ViewConfig
from resnext.data.loading.batch import Batch
from resnext.data.split import DataInfo
from resnext.errors import ConfigError
from resnext.evaluation.evaluate import evaluate
from resnext.tasks.classification.result import ClassificationResult
from resnext.tasks.classification.task import average_views

CPU = torch.device("cpu")
NUM_IMAGES, NUM_CLASSES = 37, 7  # odd, so that two processes get unequal shares


def batch(logits: list[list[float]], labels: list[int], num_views: int = 1) -> Batch:
    """Return a batch whose images are the logits that `nn.Flatten` will pass on."""
    images = torch.tensor(logits)[:, :, None, None]
    return Batch(
        images, torch.tensor(labels), torch.arange(len(labels)), len(labels), num_views=num_views
    )


def measure(*batches: Batch, num_classes: int = 2, **options: Any) -> ClassificationResult:
    return classified(nn.Flatten(), list(batches), num_classes, **options)


def classified(
    network: nn.Module, batches: Iterable[Batch], num_classes: int, **options: Any
) -> ClassificationResult:
    options = {"device": CPU} | options
    result = evaluate(network, batches, classifier(num_classes), **options)
    assert isinstance(result, ClassificationResult)
    return result


def test_views_are_averaged_as_probabilities() -> None:
    logits = torch.randn(12, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected = logits.softmax(1).view(4, 3, 5).mean(1)
    assert torch.allclose(average_views(logits, 3).exp(), expected, atol=1e-12)


def test_averaging_logits_would_give_another_answer_here() -> None:
    # Probabilities of class 0: about 0.88, 0.88 and 0.0001; their mean is above a half,
    # while the mean of the logits says class 1.
    views = [[2.0, 0.0], [2.0, 0.0], [0.0, 9.0]]
    assert measure(batch(views, [0], num_views=3)).top1_error == 0.0
    assert sum(row[0] - row[1] for row in views) < 0


def test_an_image_counts_once_however_many_views_it_has() -> None:
    result = measure(batch([[1.0, 0.0], [1.0, 0.0], [0.0, 3.0], [0.0, 1.0]], [0, 0], num_views=2))
    assert result.num_images == 2
    assert result.top1_error == 50.0


def test_a_subset_of_the_classes_renormalises_the_choice() -> None:
    # Class 0 of the data is output 2, class 1 is output 0; output 1 would win but is out.
    result = measure(batch([[1.0, 9.0, 2.0]], [0]), class_subset=[2, 0])
    assert result.top1_error == 0.0
    expected = -torch.tensor([2.0, 1.0]).log_softmax(0)[0]
    assert result.loss == pytest.approx(float(expected), rel=1e-6)


def test_a_subset_is_chosen_where_the_outputs_are_not_where_the_network_should_be() -> None:
    images = batch([[1.0, 9.0, 2.0]], [0])
    elsewhere = torch.device("meta")
    result = classified(nn.Flatten(), [images], 2, device=elsewhere, class_subset=[2, 0])
    assert result.loss == pytest.approx(float(-torch.tensor([2.0, 1.0]).log_softmax(0)[0]))


def test_with_several_labels_any_of_them_is_right_and_none_is_not_counted() -> None:
    logits = [[3.0, 1.0, 0.0], [3.0, 1.0, 0.0], [3.0, 1.0, 0.0]]
    result = measure(batch(logits, [2, 2, 2]), num_classes=3, real_labels=[[2, 0], [], [1, 2]])
    assert result.num_images == 2
    assert result.top1_error == 50.0
    assert result.confusion_kk is not None
    # The right one is counted for class 0, the wrong one for its likeliest label, class 1.
    assert result.confusion_kk.tolist() == [[1, 0, 0], [1, 0, 0], [0, 0, 0]]
    assert [mistake.index for mistake in result.mistakes] == [2]


def test_outputs_that_do_not_fit_the_classes_are_refused() -> None:
    with pytest.raises(ConfigError, match="has 2 classes, but the data set has 3"):
        measure(batch([[1.0, 0.0]], [0]), num_classes=3)


def test_the_network_is_put_into_evaluation_mode() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Dropout(0.9))
    first = classified(network, [batch([[4.0, 0.0]] * 8, [0] * 8)], 2)
    assert not network.training
    assert first.top1_error == 0.0


def test_progress_is_told_the_images_of_each_batch() -> None:
    told: list[int] = []
    parts = (batch([[1.0, 0.0]] * 3, [0] * 3), batch([[1.0, 0.0]], [0]))
    measure(*parts, progress=told.append)
    assert told == [3, 1]


def measure_share(rank: int, world_size: int) -> ClassificationResult:
    """Evaluate a random network on this process's share of random images."""
    generator = torch.Generator().manual_seed(7)
    images = torch.randint(256, (NUM_IMAGES, 8, 8, 1), generator=generator, dtype=torch.uint8)
    labels = torch.randint(NUM_CLASSES, (NUM_IMAGES,), generator=generator)
    classes = tuple(str(label) for label in range(NUM_CLASSES))
    info = DataInfo("random", classes, 1, 8, (0.5,), (0.25,))
    layer = nn.Linear(64, NUM_CLASSES, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.randn(NUM_CLASSES, 64, generator=generator))
    split, view = ArraySplit(images, labels), ViewConfig(flip=True)
    loader = eval_loader(split, info, view, batch_size=5, rank=rank, world_size=world_size)
    network = nn.Sequential(nn.Flatten(), layer)
    return classified(network, loader, NUM_CLASSES)


def run_process(rank: int, world_size: int, folder: str) -> None:
    """Evaluate as one of several processes and save what this one found."""
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=world_size
    )
    result = measure_share(rank, world_size)
    torch.save([result.as_dict(), [vars(m) for m in result.mistakes]], f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@pytest.mark.slow
def test_two_processes_find_exactly_what_one_finds(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    processes = [
        spawn.Process(target=run_process, args=(rank, 2, str(tmp_path))) for rank in (0, 1)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    alone = measure_share(0, 1)
    assert alone.num_images == NUM_IMAGES
    for rank in range(2):
        figures, mistakes = torch.load(tmp_path / f"{rank}.pt")
        # Counts are equal; sums of fractions are added in another order.
        assert figures == alone.as_dict() | {
            "loss": pytest.approx(alone.loss, rel=1e-6),
            "calibration_error": pytest.approx(alone.calibration_error, rel=1e-6),
        }
        assert [row["index"] for row in mistakes] == [m.index for m in alone.mistakes]
