from resnext.runs.config import TrainConfig
from resnext.runs.kept_epoch import best_epoch, kept_epoch
from resnext.tasks.kinds import task_kind

MEASURE = task_kind("classification").measure


def test_of_equal_errors_the_epoch_with_the_lowest_loss_is_kept() -> None:
    figures = ((9.0, 1.0), (5.0, 0.9), (5.0, 0.7), (5.0, 0.8), (6.0, 0.1))
    rows = [{"epoch": k, "top1_error": e, "loss": s} for k, (e, s) in enumerate(figures, 1)]
    assert best_epoch(rows, MEASURE)["epoch"] == 3
    assert kept_epoch(TrainConfig(keep="best"), rows)["epoch"] == 3
    assert kept_epoch(TrainConfig(keep="last"), rows)["epoch"] == 5
    unknown = [{"epoch": 1, "top1_error": 5.0, "loss": float("nan")}, {"epoch": 2, **rows[2]}]
    assert best_epoch(unknown, MEASURE)["loss"] == 0.7
    assert (
        best_epoch([{"epoch": 1, "top1_error": 5.0, "loss": 0.0}, rows[2]], MEASURE)["epoch"] == 1
    )
