"""The report section for labels: a table of labels, and the images with the largest loss."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from resnext.tasks.multilabel.result import MultiLabelResult
from resnext.tasks.section import ReportInput, Section
from resnext.tasks.thumbnails import Thumbnail, make_thumbnails

_NUM_WORST = 24


@dataclass(frozen=True)
class WorstImage:
    """An image with wrong labels.

    Attributes:
        picture: The image.
        missed: Labels that apply but were not predicted.
        wrong: Labels that were predicted but do not apply.
        loss: Its loss.
    """

    picture: Thumbnail
    missed: list[str]
    wrong: list[str]
    loss: float


def report_section(given: ReportInput, labels: Section) -> Section:
    """Add the worst images to the table of the labels."""
    result = given.result
    assert isinstance(result, MultiLabelResult)
    return Section("multilabel/report.html.j2", {**labels.values, "worst_images": _worst(given)})


def _worst(given: ReportInput) -> list[WorstImage]:
    result, classes = given.result, given.info.classes
    assert isinstance(result, MultiLabelResult)
    rows = np.argsort(-result.losses_n, kind="stable")[:_NUM_WORST]
    row_of = {int(result.indices_n[row]): int(row) for row in rows}
    found = []
    for picture in make_thumbnails(list(row_of), given.split, given.info.in_channels):
        row = row_of[picture.index]
        given_k = result.probs_nk[row] >= np.array(result.chosen_thresholds)
        missed = [classes[k] for k in np.flatnonzero(~given_k & (result.targets_nk[row] == 1))]
        wrong = [classes[k] for k in np.flatnonzero(given_k & (result.targets_nk[row] == 0))]
        found.append(WorstImage(picture, missed, wrong, float(result.losses_n[row])))
    return [image for image in found if image.missed or image.wrong]
