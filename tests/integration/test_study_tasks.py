"""Studies of other tasks than one class an image: masks, boxes, and several labels."""

from pathlib import Path

import pytest
from box_folders import TINY_DETECTOR, write_boxes
from digit_tables import write_digit_tables
from mask_folders import tiny_segmenter, write_shapes
from small_study import run, small_settings, small_study

from resnext.data.augment.config import AugmentConfig
from resnext.data.config import DataConfig
from resnext.runs.metrics_log import read_metrics
from resnext.studies.analysis.summary import summary_lines
from resnext.studies.report.files import write_report
from resnext.studies.study import Design, Study


def masks_study(folder: Path) -> Study:
    write_shapes(folder, 12)
    fcn = tiny_segmenter("fcn")
    wide = fcn.replace(backbone=fcn.backbone.replace(cardinality=1, bottleneck_width=8))
    settings = small_settings(
        epochs=1,
        data=DataConfig(name="masks", root=folder, workers=0, image_size_px=24),
        augment=AugmentConfig(crop="scaled", flip=True),
        batch_size=4,
    )
    designs = (Design(label="1x8d", model=wide), Design(label="2x4d", model=fcn))
    return small_study(designs=designs, settings=(settings,))


def boxes_study(folder: Path) -> Study:
    write_boxes(folder)
    settings = small_settings(
        epochs=1,
        data=DataConfig(name="coco", root=folder, workers=0),
        augment=AugmentConfig(crop="scaled", flip=True),
        batch_size=4,
    )
    dense = TINY_DETECTOR.replace(
        backbone=TINY_DETECTOR.backbone.replace(cardinality=1, bottleneck_width=8)
    )
    designs = (Design(label="1x8d", model=dense), Design(label="2x4d", model=TINY_DETECTOR))
    return small_study(designs=designs, settings=(settings,))


def labels_study(folder: Path) -> Study:
    write_digit_tables(folder)
    data = DataConfig(name="table", root=folder / "labels.csv", workers=0, image_size_px=8)
    return small_study(settings=(small_settings(epochs=1, data=data),))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "measure", "label"),
    [
        (masks_study, "mean_iou", "mIoU"),
        (boxes_study, "ap", "AP"),
        (labels_study, "mean_ap", "mAP"),
    ],
)
def test_trials_are_compared_by_the_measure_of_their_task(
    make: object, measure: str, label: str, tmp_path: Path
) -> None:
    assert callable(make)
    study = make(tmp_path / "data")
    rows = run(study, tmp_path / "studies", jobs=2)
    assert [row.state for row in rows] == ["done", "done"]
    for row in rows:
        last = [line for line in read_metrics(row.run) if line["kind"] == "epoch"][-1]
        assert row.figures is not None
        assert (row.figures.measure, row.figures.value) == (measure, last[measure])
    settled = study.replace(settings=tuple(row.trial.config for row in rows[:1]))
    assert any(f"{label} in percent" in line for line in summary_lines(settled, rows))
    (tmp_path / "report").mkdir()
    write_report(settled, rows, tmp_path / "report")
    page = (tmp_path / "report/report.html").read_text(encoding="utf-8")
    assert f"{label} in percent after the last epoch" in page
    assert "op-1 error" not in page
