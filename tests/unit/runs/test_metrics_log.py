"""The figures of a run: nothing told twice after a resume."""

from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from resnext.errors import RunError
from resnext.runs.metrics_log import MetricsLog, read_metrics


def test_lines_after_the_checkpoint_are_dropped_on_resume(tmp_path: Path) -> None:
    log = MetricsLog(tmp_path, total_steps=0)
    for step in (1, 2, 3):
        log.write("train", step, loss=float(step))
    log.close()
    log = MetricsLog(tmp_path, total_steps=2)
    log.write("train", 3, loss=30.0)
    log.close()
    assert [(line["step"], line["loss"]) for line in read_metrics(tmp_path)] == [
        (1, 1.0),
        (2, 2.0),
        (3, 30.0),
    ]


def test_a_line_cut_off_by_a_kill_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"kind": "train", "step": 1}\n{"kind": "tr')
    assert [line["step"] for line in read_metrics(tmp_path)] == [1]
    MetricsLog(tmp_path, total_steps=1)
    assert (tmp_path / "metrics.jsonl").read_text() == '{"kind": "train", "step": 1}\n'


def test_tensorboard_shows_the_same_figures(tmp_path: Path) -> None:
    log = MetricsLog(tmp_path, total_steps=0)
    log.write("epoch", 7, epoch=1, loss=0.25)
    log.close()
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert events.Tags()["scalars"] == ["epoch/loss"]
    assert [(event.step, event.value) for event in events.Scalars("epoch/loss")] == [(7, 0.25)]


def test_a_log_that_is_no_file_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").mkdir()
    with pytest.raises(RunError, match=r"cannot read .*metrics\.jsonl.*move it away"):
        read_metrics(tmp_path)


def test_figures_that_are_not_finite_are_figures(tmp_path: Path) -> None:
    log = MetricsLog(tmp_path, total_steps=0)
    log.write("epoch", 1, epoch=1, top1_error=90.0, loss=float("inf"), train_loss=float("nan"))
    log.close()
    assert len(read_metrics(tmp_path)) == 1
