import json
from pathlib import Path

import pytest

from resnext.model.names import config_from
from resnext.runs.config import TrainConfig
from resnext.studies.analysis.halving_agreement import agreement_of_curves, halving_agreement
from resnext.studies.records.results import Row, State
from resnext.studies.records.trial import Trial
from resnext.studies.study import Design, Halving

pytest.importorskip("optuna")

HALVING = Halving(min_epochs=1, factor=2)


def test_curves_that_never_cross_agree_fully() -> None:
    curves = [[base + 4.0, base + 2.0, base + 1.0, base] for base in (10.0, 40.0, 30.0, 20.0)]
    found = agreement_of_curves("digits", curves, HALVING)
    assert [(rung.epoch, rung.tau) for rung in found.rungs] == [(1, 1.0), (2, 1.0)]
    assert found.best_survives
    assert found.error_lost == 0.0
    # The first is the best; 40 and 30 stop at the first rung; 20, second of four, at the second.
    assert [rung.num_reached for rung in found.rungs] == [4, 2]
    assert found.share_saved == pytest.approx(1 - (4 + 1 + 1 + 2) / 16)


def test_a_late_winner_is_lost() -> None:
    curves = [[30.0, 30.0, 30.0, 30.0], [90.0, 60.0, 20.0, 5.0], [40.0, 40.0, 40.0, 40.0]]
    found = agreement_of_curves("digits", curves, HALVING)
    assert not found.best_survives
    assert found.error_lost == 25.0
    assert found.rungs[0].tau == pytest.approx(-1 / 3)  # one of three pairs keeps its order


def test_equal_errors_have_no_ranking() -> None:
    found = agreement_of_curves("digits", [[50.0, 50.0]] * 3, HALVING)
    assert found.rungs[0].tau is None
    assert found.best_survives


def row(folder: Path, curve: list[float], state: State = "done") -> Row:
    (folder / "run").mkdir(parents=True)
    lines = [
        {"kind": "epoch", "step": n + 1, "epoch": n + 1, "top1_error": e}
        for n, e in enumerate(curve)
    ]
    (folder / "run" / "metrics.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines))
    model = config_from("resnext_1-1_2x4d_cifar")
    trial = Trial(Design(label="a", model=model), TrainConfig(model=model))
    return Row(trial, folder, state)


def test_only_finished_trials_count_and_three_are_needed(tmp_path: Path) -> None:
    rows = [row(tmp_path / str(n), [60.0 + n, 40.0 + n, 20.0 + n]) for n in range(3)]
    pruned = row(tmp_path / "pruned", [90.0], state="pruned")
    (found,) = halving_agreement([pruned, *rows], HALVING)
    assert (found.data, found.num_trials) == ("digits", 3)
    assert halving_agreement(rows[:2], HALVING) == []
