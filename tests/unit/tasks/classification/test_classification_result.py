import pytest
import torch

from resnext.tasks.classification.result import ClassificationResult


def result(
    confusion: list[list[int]], bins: list[list[float]] | None = None
) -> ClassificationResult:
    confusion_kk = torch.tensor(confusion)
    return ClassificationResult(
        num_images=int(confusion_kk.sum()),
        top1_error=25.0,
        top5_error=None,
        loss=0.5,
        confusion_kk=confusion_kk,
        bins=None if bins is None else torch.tensor(bins, dtype=torch.float64),
    )


def test_the_error_of_a_class_is_the_wrong_share_of_its_row() -> None:
    errors = result([[6, 2, 0], [0, 5, 0], [1, 1, 0]]).per_class_error
    assert errors == {0: 100 * 2 / 8, 1: 0.0, 2: 100.0}


def test_a_class_without_images_has_no_error() -> None:
    assert result([[1, 0], [0, 0]]).per_class_error == {0: 0.0}


def test_the_calibration_error_is_the_one_worked_out_by_hand() -> None:
    # Ten images. Four with mean confidence 0.9, two of them right: |0.5 - 0.9| = 0.4.
    # Six with mean confidence 0.55, three right: |0.5 - 0.55| = 0.05.
    # Weighted by images: 0.4 * 0.4 + 0.6 * 0.05 = 0.19.
    found = result([[5, 5], [0, 0]], [[4, 6], [4 * 0.9, 6 * 0.55], [2, 3]]).calibration_error
    assert found == pytest.approx(19.0)


def test_the_json_names_classes_and_holds_plain_values() -> None:
    values = result([[3, 1], [0, 4]], [[8], [6], [7]]).as_dict(("cat", "dög"))
    assert values == {
        "num_images": 8,
        "top1_error": 25.0,
        "top5_error": None,
        "loss": 0.5,
        "calibration_error": pytest.approx(12.5),
        "balanced_accuracy": pytest.approx((75 + 100) / 2),
        "macro_precision": pytest.approx((100 + 80) / 2),
        "macro_recall": pytest.approx((75 + 100) / 2),
        "macro_f1": pytest.approx((600 / 7 + 800 / 9) / 2),
        "per_class": {
            "cat": {"precision": 100.0, "recall": 75.0, "f1": pytest.approx(600 / 7), "images": 4},
            "dög": {"precision": 80.0, "recall": 100.0, "f1": pytest.approx(800 / 9), "images": 4},
        },
        "per_class_error": {"cat": 25.0, "dög": 0.0},
        "confusion": [[3, 1], [0, 4]],
    }


def test_cheap_figures_come_without_details() -> None:
    values = ClassificationResult(4, 50.0, 10.0, 1.5).as_dict()
    assert values["confusion"] is None
    assert values["calibration_error"] is None
    assert values["per_class_error"] == {}
    assert values["per_class"] == {}
    assert values["macro_f1"] is None
    assert values["balanced_accuracy"] is None
