"""A classifier's section of a report: confusion, errors by class, calibration, mistakes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from resnext.data.split import DataInfo, Split
from resnext.tasks.classification import plots
from resnext.tasks.classification.calibration import explain_calibration
from resnext.tasks.classification.confusion import top_confusions, worst_classes
from resnext.tasks.classification.result import ClassificationResult, Mistake
from resnext.tasks.section import MAX_LISTED_CLASSES, MAX_NAMED_CLASSES, ReportInput, Section
from resnext.tasks.thumbnails import Thumbnail, make_thumbnails

_MAX_FLAT_NAME_LENGTH = 4
"""Longer class names are rotated above the matrix."""


@dataclass(frozen=True)
class MistakePicture:
    """A displayed wrong prediction.

    Attributes:
        picture: The image.
        label: Name of its class.
        prediction: Name of the predicted class.
        confidence: Probability of the prediction, 0..1.
    """

    picture: Thumbnail
    label: str
    prediction: str
    confidence: float


def report_section(given: ReportInput) -> Section:
    """Collect what a report shows of a classifier."""
    result, classes = given.result, given.info.classes
    assert isinstance(result, ClassificationResult)
    assert result.confusion_kk is not None
    assert result.bins is not None
    confusion_kk, errors = result.confusion_kk, result.per_class_error
    is_large = len(classes) > MAX_NAMED_CLASSES
    table = worst_classes(confusion_kk, classes, MAX_NAMED_CLASSES)
    worst = sorted(errors, key=lambda label: (-errors[label], label))[:MAX_NAMED_CLASSES]
    by_class = given.figures["per_class"]
    is_listed = is_large and len(by_class) <= MAX_LISTED_CLASSES
    values = {
        "num_classes": len(classes),
        "is_large": is_large,
        "table": table,
        "upright_names": max(map(len, table.names)) > _MAX_FLAT_NAME_LENGTH,
        "confusions": top_confusions(confusion_kk, classes),
        "picture": plots.draw_confusion(confusion_kk) if is_large else None,
        "calibration": plots.draw_calibration(result.bins),
        "softened": explain_calibration(result.bins, given.softening, len(classes)),
        "class_errors": [(classes[k], errors[k], by_class[classes[k]]) for k in worst],
        "all_classes": list(by_class.items()) if is_listed else [],
        "error_histogram": plots.draw_class_errors(errors.values()) if is_large else None,
        "mistakes": picture_mistakes(result.mistakes, given.split, given.info),
    }
    return Section("classification/report.html.j2", values)


def picture_mistakes(
    mistakes: Sequence[Mistake], split: Split, info: DataInfo
) -> list[MistakePicture]:
    """Read the images of some mistakes again; those no longer readable are left out.

    Args:
        mistakes: The mistakes.
        split: The images.
        info: Names of the classes, channels of the images.
    """
    by_index = {mistake.index: mistake for mistake in mistakes}
    return [
        MistakePicture(
            picture,
            info.classes[by_index[picture.index].label],
            info.classes[by_index[picture.index].prediction],
            by_index[picture.index].confidence,
        )
        for picture in make_thumbnails(list(by_index), split, info.in_channels)
    ]
