import pytest
import torch

from resnext.tasks.classification.calibration import explain_calibration
from resnext.tasks.section import Softening

SURE = torch.tensor([[0.0, 10.0], [0.0, 8.0], [0.0, 9.0]])  # 80 % confident, 90 % right


def test_label_smoothing_explains_low_confidence() -> None:
    text = explain_calibration(SURE, Softening(0.1), 10)
    assert text is not None
    assert "its mean confidence is 80.0% and its accuracy 90.0%" in text
    assert "label smoothing 0.1 never asks for more than 91.0%" in text  # 0.9 + 0.1 / 10
    assert "temperature" in text


def test_mixed_images_explain_it_too() -> None:
    text = explain_calibration(SURE, Softening(0.1, {"mixup": 0.2, "cutmix": 1.0}), 10)
    assert text is not None
    assert "more than 91.0% and mixup 0.2 and cutmix 1 trained it on images of two" in text


@pytest.mark.parametrize("confidence", [9.0, 9.5])
def test_a_network_that_is_not_less_confident_than_right_is_not_explained(
    confidence: float,
) -> None:
    bins = torch.tensor([[10.0], [confidence], [9.0]])
    assert explain_calibration(bins, Softening(0.1), 10) is None


def test_without_softened_labels_nothing_is_explained() -> None:
    assert explain_calibration(SURE, Softening(), 10) is None
