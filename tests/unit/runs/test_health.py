"""What is said of a training that went wrong, and that nothing is said of one that did not."""

from pathlib import Path

import pytest

from resnext.data.config import DataConfig
from resnext.runs.config import ScheduleConfig, TrainConfig
from resnext.runs.health import EpochFigures, judge, judge_run
from resnext.tasks.kinds import task_kind

KIND = task_kind("classification")


def _epochs(*rows: tuple[float, float | None, float, float]) -> list[EpochFigures]:
    return [EpochFigures(*row) for row in rows]


GOOD = ((1.6, 55.0, 1.5, 50.0), (1.0, 30.0, 1.1, 35.0), (0.6, 15.0, 0.9, 25.0))


@pytest.mark.parametrize(
    ("rows", "kinds"),
    [
        (GOOD, []),
        ([*GOOD, (8.5e15, 46.0, 8.5e15, 46.0)], ["exploding"]),
        ([(0.7, 50.0, 0.7, 46.0)] * 4, ["useless"]),
        ([(0.7, 50.0, 0.7, 46.0)] * 3 + [(0.6, 40.0, 0.6, 45.9)], []),
        ([(1e9, 46.0, 1e9, 46.0)] * 4, ["exploding", "useless"]),
        ([*GOOD, (0.01, 0.0, 1.2, 26.0)], ["overfitting"]),
        ([*GOOD, (0.01, None, 1.2, 26.0)], []),
        ([*GOOD, (0.01, 10.0, 1.2, 26.0)], []),
        ([*GOOD, (0.01, 0.0, 1.0, 26.0)], []),
    ],
)
def test_what_is_wrong_is_found(
    rows: list[tuple[float, float | None, float, float]], kinds: list[str]
) -> None:
    found = judge(_epochs(*rows), 4, KIND, num_outputs=2, guess=46.0)
    assert [finding.kind for finding in found] == kinds


@pytest.mark.parametrize(
    ("is_signal", "setting"), [(False, "augment.policy=trivialaugment"), (True, "signal_augment")]
)
def test_the_augmentation_that_is_suggested_is_one_of_the_data(
    *, is_signal: bool, setting: str
) -> None:
    epochs = _epochs(*GOOD, (0.01, 0.0, 1.2, 26.0))
    (found,) = judge(epochs, 4, KIND, num_outputs=2, guess=46.0, is_signal=is_signal)
    assert f" {setting}" in found.text or f"({setting}" in found.text


def test_a_training_is_not_called_useless_at_its_start() -> None:
    assert not judge(_epochs((0.7, 50.0, 0.7, 60.0)), 10, KIND, num_outputs=2, guess=46.0)
    assert not judge([], 10, KIND, num_outputs=2, guess=46.0)


@pytest.mark.parametrize(
    ("ap", "said"), [(1.0, "no better"), (1.06, "no better"), (1.9, "hardly better"), (2.2, None)]
)
def test_a_detector_must_be_clearly_better_than_the_same_boxes_in_every_image(
    ap: float, said: str | None
) -> None:
    epochs = [EpochFigures(0.5, None, 0.5, ap)] * 3
    found = judge(epochs, 3, task_kind("detection"), num_outputs=2, guess=1.06)
    assert [finding.kind for finding in found] == ["useless"] * (said is not None)
    if said:
        assert f"{said} than finding the same objects in every image (1.1 %)" in found[0].text


@pytest.mark.parametrize(
    ("num_epochs", "is_said"), [(1, True), (2, False), (4, False), (10, False)]
)
def test_a_validation_loss_that_lags_behind_is_no_divergence(
    num_epochs: int, is_said: bool
) -> None:
    first = _epochs((1.3, 50.0, 29.6, 40.0))
    found = judge(first, num_epochs, KIND, num_outputs=2, guess=46.0)
    assert [finding.kind for finding in found] == ["exploding"] * is_said


def test_a_training_loss_that_explodes_is_said_at_once() -> None:
    found = judge(_epochs((1e9, 50.0, 0.7, 50.0)), 10, KIND, num_outputs=2, guess=46.0)
    assert [finding.kind for finding in found] == ["exploding"]


@pytest.mark.parametrize(
    ("balanced_accuracy", "is_weighted", "kinds"),
    [
        (80.0, True, []),
        (50.0, True, ["useless"]),
        (80.0, False, ["useless"]),
        (None, True, ["useless"]),  # logged before it was recorded
    ],
)
def test_a_network_trained_with_class_weights_is_judged_by_its_balanced_accuracy(
    balanced_accuracy: float | None, is_weighted: bool, kinds: list[str]
) -> None:
    # always the largest of two classes errs on 1 %; giving it up for the rare one costs more
    epochs = [EpochFigures(0.5, 10.0, 0.5, 8.0, balanced_accuracy)] * 4
    found = judge(epochs, 4, KIND, num_outputs=2, guess=1.0, is_weighted=is_weighted)
    assert [finding.kind for finding in found] == kinds


def test_a_run_is_judged_by_the_lines_of_its_log() -> None:
    rows = [
        {"train_loss": a, "train_top1_error": b, "loss": c, "top1_error": d, "guess_error": 46.0}
        for a, b, c, d in [*GOOD, (0.01, 0.0, 1.2, 26.0)]
    ]
    config = TrainConfig(schedule=ScheduleConfig(kind="cosine", epochs=4))
    (found,) = judge_run([{"kind": "train"}, *rows], config)
    assert "augment.policy" in found.text
    series = config.replace(data=DataConfig(name="series", root=Path("a.ts")))
    (found,) = judge_run(rows, series)
    assert "settings signal_augment" in found.text
