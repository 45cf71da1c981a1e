import json
import math
import random
from pathlib import Path
from typing import Any

import pytest

from resnext.model.names import config_from
from resnext.runs.config import ScheduleConfig, TrainConfig
from resnext.studies.execution.halving import HalvingController, Pruner, rung_epochs
from resnext.studies.records.cut import Cut, read_cut, write_cut
from resnext.studies.records.trial import Trial, plan_trials
from resnext.studies.study import Design, Halving, Study

pytest.importorskip("optuna")

HALVING = Halving(min_epochs=1, factor=2)


def study(num_designs: int = 4, epochs: int = 8, **changes: Any) -> Study:
    designs = tuple(
        Design(label=f"width {width}", model=config_from(f"resnext_1-1_2x{width}d_cifar"))
        for width in range(4, 4 + num_designs)
    )
    settings = (TrainConfig(schedule=ScheduleConfig(epochs=epochs)),)
    given = {"name": "s", "question": "?", "designs": designs, "settings": settings, "seeds": (0,)}
    return Study(**given | changes)


def log_epochs(folder: Path, errors: list[float]) -> None:
    (folder / "run").mkdir(parents=True, exist_ok=True)
    rows = [
        {"kind": "epoch", "step": 10 * epoch, "epoch": epoch, "top1_error": error}
        for epoch, error in enumerate(errors, start=1)
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    partial = folder / "run" / "metrics.jsonl.partial"
    partial.write_text(text + '{"kind": "train", "st')
    partial.replace(folder / "run" / "metrics.jsonl")


def look(judge: HalvingController, trial: Trial, root: Path, errors: list[float]) -> Cut | None:
    log_epochs(trial.folder(root), errors)
    return judge.look(trial, trial.folder(root))


@pytest.mark.parametrize(
    ("min_epochs", "factor", "epochs", "expected"),
    [(1, 3, 10, [1, 3, 9]), (1, 3, 9, [1, 3]), (2, 2, 17, [2, 4, 8, 16]), (5, 4, 5, [])],
)
def test_rungs_grow_by_the_factor_and_lie_before_the_end(
    min_epochs: int, factor: int, epochs: int, expected: list[int]
) -> None:
    assert rung_epochs(Halving(min_epochs=min_epochs, factor=factor), epochs) == expected


def test_a_trial_goes_on_if_it_is_in_the_best_half_so_far() -> None:
    pruner = Pruner(HALVING)
    stopped = [pruner.tell(str(n), 1, error) for n, error in enumerate((50.0, 60.0, 40.0, 45.0))]
    assert stopped == [False, True, False, False]  # 45 is the second of four


def test_nothing_is_decided_between_rungs() -> None:
    pruner = Pruner(Halving(min_epochs=2, factor=2))
    assert not pruner.tell("good", 1, 1.0)
    assert not pruner.tell("bad", 1, 90.0)
    assert not pruner.tell("good", 2, 1.0)
    assert pruner.tell("bad", 2, 90.0)


def test_an_error_that_is_no_number_stops_a_trial() -> None:
    assert Pruner(HALVING).tell("broken", 1, math.nan)


def test_a_trial_is_stopped_where_it_was_worse(tmp_path: Path) -> None:
    given = study()
    judge = HalvingController(given, HALVING)
    good, bad, *_ = plan_trials(given)
    assert look(judge, good, tmp_path, [50.0, 40.0]) is None
    assert look(judge, bad, tmp_path, [49.0, 48.0, 10.0]) == Cut("s", 2, 48.0, 1, 1, 2)


def test_each_epoch_is_told_once_while_a_log_grows_and_is_cut_back(tmp_path: Path) -> None:
    given = study()
    judge = HalvingController(given, HALVING)
    first, second, *_ = plan_trials(given)
    for errors in ([50.0], [50.0, 40.0], [50.0], [50.0, 40.0, 35.0]):
        assert look(judge, first, tmp_path, errors) is None
    assert look(judge, second, tmp_path, [10.0]) is None
    cut = look(judge, second, tmp_path, [10.0, 41.0])
    assert cut is not None
    assert cut.epoch == 2


def test_a_log_that_grows_is_read_from_where_it_ended(tmp_path: Path) -> None:
    given = study()
    judge = HalvingController(given, HALVING)
    trial = plan_trials(given)[1]
    assert look(judge, plan_trials(given)[0], tmp_path, [10.0, 10.0]) is None
    folder = trial.folder(tmp_path)
    (folder / "run").mkdir(parents=True)
    for epoch, error, rest in ((1, 5.0, '{"kind": "ep'), (2, 50.0, "")):
        row = {"kind": "epoch", "step": epoch, "epoch": epoch, "top1_error": error}
        line = json.dumps(row) if epoch == 1 else json.dumps(row)[len('{"kind": "ep') :]
        with (folder / "run" / "metrics.jsonl").open("a") as file:
            file.write(line + "\n" + rest)
        cut = judge.look(trial, folder)
    assert cut == Cut("s", 2, 50.0, 1, 1, 2)


def test_a_log_that_was_cut_back_and_has_grown_again_is_read_anew(tmp_path: Path) -> None:
    given = study()
    judge = HalvingController(given, HALVING)
    first, second, *_ = plan_trials(given)
    assert look(judge, first, tmp_path, [10.0] * 3) is None
    assert look(judge, second, tmp_path, [5.0]) is None
    cut = look(judge, second, tmp_path, [5.000000001, 50.000000001, 50.0])  # longer than before
    assert cut is not None
    assert (cut.epoch, cut.value) == (2, 50.000000001)


def test_a_trial_that_was_trained_to_the_end_is_not_stopped(tmp_path: Path) -> None:
    given = study(epochs=1)
    judge = HalvingController(given, HALVING)
    trials = plan_trials(given)
    assert [look(judge, t, tmp_path, [n]) for n, t in enumerate(trials)] == [None] * 4


def test_data_sets_are_judged_apart(tmp_path: Path) -> None:
    easy = TrainConfig()
    hard = easy.replace(data=easy.data.replace(name="cifar10"))
    given = study(num_designs=1, settings=(easy, hard))
    judge = HalvingController(given, HALVING)
    trials = plan_trials(given)
    assert {trial.data for trial in trials} == {"digits", "cifar10"}
    assert [look(judge, t, tmp_path, [1.0 + 50 * n]) for n, t in enumerate(trials)] == [None, None]


def test_a_new_judge_finds_what_the_last_one_found(tmp_path: Path) -> None:
    given = study()
    errors = ([50.0, 40.0, 30.0], [60.0], [45.0, 42.0], [20.0, 10.0, 5.0])
    cuts = []
    for _ in range(2):
        judge = HalvingController(given, HALVING)
        pairs = zip(plan_trials(given), errors, strict=True)
        cuts.append([look(judge, trial, tmp_path, list(values)) for trial, values in pairs])
    assert cuts[0] == cuts[1]
    assert [cut is not None for cut in cuts[0]] == [False, True, True, False]


def test_a_stop_is_kept_for_the_study_and_the_halving_that_found_it(tmp_path: Path) -> None:
    given = study()
    cut = Cut("s", 2, 48.0, 1, 1, 2)
    write_cut(tmp_path, cut)
    assert read_cut(tmp_path, given.name) == read_cut(tmp_path, given.name, HALVING) == cut
    assert read_cut(tmp_path, given.name, Halving(min_epochs=1, factor=3)) is None
    assert read_cut(tmp_path, "other") is None
    trial = plan_trials(given)[0]
    trial.folder(tmp_path).mkdir(parents=True)
    write_cut(trial.folder(tmp_path), cut)
    assert HalvingController(given, HALVING).look(trial, trial.folder(tmp_path)) == cut


@pytest.mark.parametrize("seed", range(20))
def test_who_is_stopped_does_not_depend_on_the_order_in_which_they_are_ready(
    tmp_path: Path, seed: int
) -> None:
    """As many run at once, some are ahead of those before them, and some fail."""
    draw = random.Random(seed)
    given = study(num_designs=6, epochs=5)
    trials = plan_trials(given)
    curves = [[draw.uniform(1, 99) for _ in range(5)] for _ in trials]
    lengths = [draw.choice((5, 5, 5, 2)) for _ in trials]  # some fail after two epochs
    cuts = []
    for is_parallel in (False, True):
        judge, root = HalvingController(given, HALVING), tmp_path / str(is_parallel)
        steps = [(n, e) for n, length in enumerate(lengths) for e in range(1, length + 1)]
        if is_parallel:
            numbers = [n for n, _ in steps]
            draw.shuffle(numbers)
            seen = [0] * len(trials)
            for place, number in enumerate(numbers):
                seen[number] += 1
                steps[place] = (number, seen[number])
        for number, epoch in steps:
            look(judge, trials[number], root, curves[number][:epoch])
            if epoch == lengths[number]:
                judge.ended(trials[number].key)
        cuts.append([judge.look(trial, trial.folder(root)) for trial in trials])
    assert cuts[0] == cuts[1]
    assert any(cuts[0])


def test_a_trial_that_is_ahead_is_judged_when_those_before_it_have_been_there(
    tmp_path: Path,
) -> None:
    given = study()
    judge = HalvingController(given, HALVING)
    first, second, *_ = plan_trials(given)
    assert look(judge, second, tmp_path, [60.0, 50.0]) is None
    assert look(judge, first, tmp_path, [40.0]) is None
    assert look(judge, second, tmp_path, [60.0, 50.0]) == Cut("s", 1, 60.0, 0, 1, 2)
