from pathlib import Path

import numpy as np
import pytest
import torch
from digits_network import save_run
from image_trees import write_grey
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from resnext.data.sets.load import load_data
from resnext.errors import DataError
from resnext.evaluation import linear_probe
from resnext.evaluation.feature_source import FeatureRequest, FeatureSource
from resnext.evaluation.knn import Neighbours
from resnext.evaluation.linear_probe import GRID, fit_linear, hold_out
from resnext.evaluation.probe import (
    FrozenSplit,
    percent_wrong,
    probe_knn,
    probe_linear,
    read_split,
)
from resnext.evaluation.run import EvaluationOptions


def blobs(
    num: int, num_classes: int, spread: float = 1.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Return points about one centre a class; features differ in scale by 1000."""
    centres = np.random.default_rng(99).normal(size=(num_classes, 6))
    generator = np.random.default_rng(seed)
    labels = np.arange(num) % num_classes
    points = centres[labels] + spread * generator.normal(size=(num, 6))
    return (points * np.geomspace(1, 1000, 6)).astype(np.float32), labels.astype(np.int64)


def split(num: int, num_classes: int, spread: float = 1.0, seed: int = 0) -> FrozenSplit:
    features, labels = blobs(num, num_classes, spread, seed)
    return FrozenSplit(torch.from_numpy(features), torch.from_numpy(labels))


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> tuple[FrozenSplit, FrozenSplit]:
    """Return the features that a random network of one block gives for the digits."""
    run = save_run(tmp_path_factory.mktemp("probe") / "run")
    source = FeatureSource(run, FeatureRequest(), torch.device("cpu"), EvaluationOptions())
    return read_split(source, "train"), read_split(source, "val")


def test_a_random_network_on_digits_is_far_better_than_chance(
    digits: tuple[FrozenSplit, FrozenSplit],
) -> None:
    chance = 90.0
    linear, knn = probe_linear(*digits, 10), probe_knn(*digits, 10, Neighbours())
    for result in (linear, knn):
        assert result.top1_error < chance / 3
        assert result.top5_error is not None
        assert result.top5_error <= result.top1_error
        assert (result.num_train, result.num_images) == (1438, 359)
    assert linear.settings["c"] in GRID


def test_the_same_seed_gives_the_same_figures(digits: tuple[FrozenSplit, FrozenSplit]) -> None:
    first, second = (probe_linear(*digits, 10, seed=3).as_dict() for _ in range(2))
    assert first == second
    knn = [probe_knn(*digits, 10, Neighbours()).as_dict() for _ in range(2)]
    assert knn[0] == knn[1]


def test_a_split_is_read_whole_and_in_order(digits: tuple[FrozenSplit, FrozenSplit]) -> None:
    from resnext.data.config import DataConfig

    loaded = load_data(DataConfig(name="digits"))
    for found, images in zip(digits, (loaded.train, loaded.val), strict=True):
        assert torch.equal(found.labels_n, images.targets_n)
        assert found.features_nd.shape == (len(images), 16)


def test_the_final_fit_is_scikit_learns_on_all_images_with_the_chosen_c() -> None:
    features, labels = blobs(300, 3)
    tried, _ = blobs(100, 3, seed=1)
    probe = fit_linear(features, labels, 3, seed=0)
    scaler = StandardScaler().fit(features)
    reference = LogisticRegression(C=probe.c, max_iter=1000).fit(scaler.transform(features), labels)
    assert (
        probe.scores(tried).argmax(1).tolist()
        == reference.predict(scaler.transform(tried)).tolist()
    )


def test_the_validation_images_do_not_choose_the_penalty() -> None:
    train = split(100, 3, spread=2.0)
    chosen = {
        probe_linear(train, split(50, 3, spread=spread, seed=seed), 3).settings["c"]
        for seed, spread in ((1, 0.1), (2, 1.0), (3, 5.0))
    }
    assert len(chosen) == 1


def test_the_penalty_has_the_fewest_errors_on_the_held_out_images(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    features, labels = blobs(120, 4, spread=2.0)
    held_out = hold_out(labels, 0)
    scaler = StandardScaler().fit(features[~held_out])
    errors = []
    for c in GRID:
        model = LogisticRegression(C=c, max_iter=1000)
        model.fit(scaler.transform(features[~held_out]), labels[~held_out])
        wrong = model.predict(scaler.transform(features[held_out])) != labels[held_out]
        errors.append(int(wrong.sum()))
    assert len(set(errors)) > 1  # else this test would say nothing
    assert fit_linear(features, labels, 4, 0).c == GRID[errors.index(min(errors))]
    # With one value on offer, that one is taken.
    monkeypatch.setattr(linear_probe, "GRID", (0.5,))
    assert fit_linear(features, labels, 4, 0).c == 0.5


@pytest.mark.parametrize("counts", [(50, 10, 5), (2, 3, 1), (100, 1, 1)])
def test_a_fifth_of_each_class_is_held_out(counts: tuple[int, ...]) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)
    mask = hold_out(labels, seed=1)
    for label, count in enumerate(counts):
        expected = 0 if count == 1 else max(1, round(count / 5))
        assert mask[labels == label].sum() == expected
    assert np.array_equal(mask, hold_out(labels, seed=1))


def test_another_seed_holds_other_images_out() -> None:
    labels = np.repeat(np.arange(3), 30)
    assert not np.array_equal(hold_out(labels, 0), hold_out(labels, 1))


def test_two_classes_are_told_apart() -> None:
    result = probe_linear(split(80, 2, spread=0.1), split(40, 2, spread=0.1, seed=1), 2)
    assert result.top1_error == 0.0
    assert result.top5_error is None


def test_a_class_without_training_images_is_always_wrong() -> None:
    train, val = split(90, 3, spread=0.1), split(80, 4, spread=0.1, seed=1)
    for result in (probe_linear(train, val, 4), probe_knn(train, val, 4, Neighbours(5))):
        assert result.top1_error == 25.0


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0, 0, 0, 0], "at least two classes"),
        ([0, 1, 2, 3], "no class has two training images"),
    ],
)
def test_too_few_training_images_are_an_error(labels: list[int], message: str) -> None:
    features = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    with pytest.raises(DataError, match=message):
        fit_linear(features, np.array(labels), 4, 0)


def test_errors_are_counted_by_hand() -> None:
    scores = torch.tensor([[6.0, 5, 4, 3, 2, 1], [6.0, 5, 4, 3, 2, 1], [1.0, 1, 0, 0, 0, 0]])
    assert percent_wrong(scores[:1], torch.tensor([0])) == (0.0, 0.0)
    assert percent_wrong(scores[:2], torch.tensor([1, 5])) == (100.0, 50.0)
    assert percent_wrong(scores[2:], torch.tensor([0])) == (0.0, 0.0)
    assert percent_wrong(scores[2:], torch.tensor([1])) == (100.0, 0.0)
    assert percent_wrong(scores[:, :5], torch.tensor([0, 1, 4]))[1] is None


def test_a_score_of_minus_infinity_is_no_guess() -> None:
    scores = torch.full((1, 6), -torch.inf)
    scores[0, 2] = 0.0
    assert percent_wrong(scores, torch.tensor([0])) == (100.0, 100.0)


def test_a_fit_that_does_not_converge_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear_probe, "_MAX_ITERATIONS", 1)
    features, labels = blobs(60, 3)
    assert not fit_linear(features, labels, 3, 0).converged


def test_infinite_temperature_is_valid_json(digits: tuple[FrozenSplit, FrozenSplit]) -> None:
    result = probe_knn(*digits, 10, Neighbours(5, float("inf")))
    assert result.as_dict()["temperature"] == "inf"


def test_bad_files_leave_no_rows(tmp_path: Path) -> None:
    from resnext.data.config import DataConfig

    write_grey(tmp_path / "data", 3, "train/a", "train/b", "val/a", "val/b")
    (tmp_path / "data/train/a/1.png").write_bytes(b"torn")
    request = FeatureRequest(DataConfig(name="folder", root=tmp_path / "data"))
    run = save_run(tmp_path / "run")
    source = FeatureSource(run, request, torch.device("cpu"), EvaluationOptions(2, workers=0))
    train = read_split(source, "train")
    assert train.labels_n.tolist() == [0, 0, 1, 1, 1]
    assert train.features_nd.shape == (5, 16)
    assert [Path(row["path"]).name for row in source.bad_files] == ["1.png"]
