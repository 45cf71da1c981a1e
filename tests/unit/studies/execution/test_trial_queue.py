import errno
import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from resnext.claim import Claim, find_holder, take_claim
from resnext.data.config import DataConfig
from resnext.errors import ConfigError, RunError
from resnext.model.names import config_from
from resnext.runs.config import RuntimeConfig, ScheduleConfig, TrainConfig
from resnext.studies.execution import trial_queue
from resnext.studies.execution.attempts import Status
from resnext.studies.execution.halving import HalvingController
from resnext.studies.execution.progress import Progress
from resnext.studies.execution.scheduler import status_rows
from resnext.studies.execution.trial_queue import TrialQueue
from resnext.studies.records import cut as cut_module
from resnext.studies.records.cut import Cut
from resnext.studies.records.results import read_row
from resnext.studies.records.trial import Trial, create_trial, plan_trials, read_trial
from resnext.studies.study import Design, Halving, Study
from resnext.training.interrupt import Interrupted

FIGURES: dict[str, Any] = {
    "value": 10.0,
    "loss": 1.0,
    "train_value": 5.0,
    "train_loss": 0.5,
    "best_value": 9.0,
    "parameters": 1,
    "macs": 1,
    "activations": 1,
    "epochs": 1,
    "seconds": 1.0,
}


class FakeExecutor:
    """Ends each trial as its script says, one status an attempt; stopped ones end by SIGTERM."""

    def __init__(self, *statuses: int, look: Callable[[Path], None] = lambda _: None) -> None:
        self.slots = 2
        self.started: list[Path] = []
        self.most_at_once = 0
        self.stopped: list[Path] = []
        self.killed = False
        self._num_looks = 0
        self._statuses, self._look = list(statuses), look
        self._running: dict[Path, int] = {}

    def start(self, folder: Path) -> None:
        self.started.append(folder)
        (folder / "log.txt").write_text("Traceback\nthe last words\n")
        self._running[folder] = self._statuses.pop(0) if self._statuses else Status.DONE
        self.most_at_once = max(self.most_at_once, len(self._running))

    def ended(self) -> list[tuple[Path, int]]:
        self._num_looks += 1
        assert self._num_looks < 1000, "the queue waits for something that does not come"
        found = []
        for folder, status in list(self._running.items()):
            self._look(folder)
            if status == Status.DONE:
                (folder / "result.json").write_text(json.dumps(FIGURES))
            if status != ENDLESS:
                del self._running[folder]
                found.append((folder, status))
        return found

    def stop(self, folder: Path) -> None:
        self.stopped.append(folder)
        self._running[folder] = 128 + signal.SIGTERM

    def kill(self) -> None:
        self.killed = True


ENDLESS = 1000
RUNTIME = RuntimeConfig(device="cpu", precision="fp32", threads=1)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial_queue, "_SECONDS_BETWEEN_LOOKS", 0.0)
    monkeypatch.setattr(trial_queue, "_SECONDS_BETWEEN_LOOKS_ELSEWHERE", 0.0)


def study(num_designs: int) -> Study:
    designs = tuple(
        Design(label=f"width {width}", model=config_from(f"resnext_1-1_2x{width}d_cifar"))
        for width in range(4, 4 + num_designs)
    )
    settings = (TrainConfig(schedule=ScheduleConfig(epochs=4), runtime=RUNTIME),)
    return Study(name="s", question="?", designs=designs, settings=settings, seeds=(0,))


def trials_of(root: Path, num_designs: int) -> list[Trial]:
    trials = plan_trials(study(num_designs))
    for trial in trials:
        create_trial(trial, root)
    return trials


def run(trials: list[Trial], root: Path, executor: FakeExecutor, **options: Any) -> None:
    given = {"slots": 1} | options
    judge, num_done = given.pop("judge", None), given.pop("num_done", 0)
    with Progress("quiet", len(trials), len(trials)) as progress:
        TrialQueue(trials, root, executor, progress, judge, num_done).run(**given)


def reasons(trial: Trial, root: Path) -> list[str]:
    return [attempt["reason"] for attempt in read_row(trial, root).attempts]


def test_trials_start_in_order_and_no_more_at_once_than_there_is_room(tmp_path: Path) -> None:
    trials, executor = trials_of(tmp_path, 5), FakeExecutor()
    run(trials, tmp_path, executor, slots=2)
    assert executor.started == [trial.folder(tmp_path) for trial in trials]
    assert executor.most_at_once == 2


def test_a_trial_starts_with_the_settings_of_its_own_study(tmp_path: Path) -> None:
    """Another person may have said since where the images lie on another machine."""
    (asked,) = trials_of(tmp_path, 1)
    there = asked.config.replace(data=asked.config.data.replace(workers=3))
    create_trial(Trial(asked.design, there), tmp_path)
    found = []

    def look(folder: Path) -> None:
        found.append(read_trial(folder).config)

    run([asked], tmp_path, FakeExecutor(look=look))
    assert found == [asked.config]


def test_a_folder_that_cannot_be_written_stops_the_study_and_lets_the_others_save(
    tmp_path: Path,
) -> None:
    first, second = trials_of(tmp_path, 2)

    class Refusing(FakeExecutor):
        def start(self, folder: Path) -> None:
            if folder == second.folder(tmp_path):
                raise RunError("cannot write")
            super().start(folder)

    executor = Refusing(ENDLESS)
    with pytest.raises(RunError, match="cannot write"):
        run([first, second], tmp_path, executor, slots=2)
    assert executor.stopped == [first.folder(tmp_path)]


def test_trials_that_are_done_are_not_started(tmp_path: Path) -> None:
    trials, executor = trials_of(tmp_path, 3), FakeExecutor()
    (trials[1].folder(tmp_path) / "result.json").write_text(json.dumps(FIGURES))
    run(trials, tmp_path, executor)
    assert executor.started == [trials[0].folder(tmp_path), trials[2].folder(tmp_path)]


@pytest.mark.parametrize(
    ("status", "reason", "detail"),
    [
        (Status.CRASHED, "crashed", "the last words"),
        (Status.DIVERGED, "diverged", "the last words"),
        (Status.OUT_OF_MEMORY, "out of memory", "the last words"),
        (-signal.SIGSEGV, "killed", "by SIGSEGV"),
    ],
)
def test_a_trial_that_fails_is_tried_once_more_and_recorded(
    tmp_path: Path, status: int, reason: str, detail: str
) -> None:
    trials, executor = trials_of(tmp_path, 2), FakeExecutor(status, status, Status.DONE)
    run(trials, tmp_path, executor)
    assert executor.started == [trials[n].folder(tmp_path) for n in (0, 0, 1)]
    first, second = (read_row(trial, tmp_path) for trial in trials)
    assert [attempt["reason"] for attempt in first.attempts] == [reason, reason]
    assert first.attempts[0]["detail"] == detail
    assert first.attempts[0]["log"] == "Traceback\nthe last words"
    assert [attempt["is_last"] for attempt in first.attempts] == [False, True]
    assert second.state == "done"


def test_a_second_attempt_may_succeed(tmp_path: Path) -> None:
    trials, executor = trials_of(tmp_path, 1), FakeExecutor(Status.CRASHED, Status.DONE)
    run(trials, tmp_path, executor)
    assert read_row(trials[0], tmp_path).state == "done"
    assert reasons(trials[0], tmp_path) == ["crashed"]


def test_what_is_refused_is_not_tried_again(tmp_path: Path) -> None:
    trials, executor = trials_of(tmp_path, 2), FakeExecutor(Status.DONE, Status.REFUSED)
    run(trials, tmp_path, executor)
    assert len(executor.started) == 2
    assert reasons(trials[1], tmp_path) == ["refused"]
    assert read_row(trials[1], tmp_path).attempts[0]["is_last"]


def test_a_mistake_that_hits_all_trials_alike_ends_the_study(tmp_path: Path) -> None:
    trials, executor = trials_of(tmp_path, 9), FakeExecutor(*9 * [Status.REFUSED])
    with pytest.raises(ConfigError, match="width 5, digits: the last words"):
        run(trials, tmp_path, executor)
    assert len(executor.started) == 2


def test_the_only_trial_is_refused_with_its_reason(tmp_path: Path) -> None:
    trials, executor = trials_of(tmp_path, 1), FakeExecutor(Status.REFUSED)
    with pytest.raises(ConfigError, match="the last words"):
        run(trials, tmp_path, executor)


def test_a_trial_that_another_holds_is_waited_for(tmp_path: Path) -> None:
    trials = trials_of(tmp_path, 2)
    folder = trials[0].folder(tmp_path)
    claim = take_claim(folder, lambda: None)
    assert isinstance(claim, Claim)

    def release_in_the_end(other: Path) -> None:
        if other == trials[1].folder(tmp_path) and find_holder(folder) is not None:
            claim.release()

    executor = FakeExecutor(look=release_in_the_end)
    run(trials, tmp_path, executor)
    assert executor.started == [trials[1].folder(tmp_path), folder]


def test_a_trial_that_another_was_faster_to_claim_is_waited_for(tmp_path: Path) -> None:
    trials, executor = trials_of(tmp_path, 1), FakeExecutor(Status.HELD, Status.CLAIM_LOST)
    run(trials, tmp_path, executor)
    assert len(executor.started) == 3
    assert reasons(trials[0], tmp_path) == []


def test_a_signal_stops_all_and_says_so(tmp_path: Path) -> None:
    trials = trials_of(tmp_path, 3)
    second = trials[1].folder(tmp_path)

    def ask_to_stop(folder: Path) -> None:
        if folder == second and not executor.stopped:
            signal.raise_signal(signal.SIGTERM)

    executor = FakeExecutor(ENDLESS, ENDLESS, look=ask_to_stop)
    with pytest.raises(Interrupted, match="stopped by SIGTERM; the running trials have saved"):
        run(trials, tmp_path, executor, slots=2)
    assert executor.stopped == [trials[0].folder(tmp_path), second]
    assert not executor.killed
    assert reasons(trials[0], tmp_path) == []
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_trial_that_waits_for_its_second_attempt_has_not_failed(tmp_path: Path) -> None:
    given = study(1)
    (trial,) = trials_of(tmp_path, 1)

    def ask_to_stop(_: Path) -> None:
        if reasons(trial, tmp_path):
            signal.raise_signal(signal.SIGTERM)

    executor = FakeExecutor(Status.CRASHED, ENDLESS, look=ask_to_stop)
    with pytest.raises(Interrupted):
        run([trial], tmp_path, executor)
    assert [row.state for row in status_rows(given, tmp_path)] == ["missing"]
    run([trial], tmp_path, FakeExecutor(Status.CRASHED, Status.CRASHED))
    assert [row.state for row in status_rows(given, tmp_path)] == ["failed"]


def test_a_second_signal_kills(tmp_path: Path) -> None:
    trials = trials_of(tmp_path, 1)
    executor = FakeExecutor(ENDLESS, look=lambda _: signal.raise_signal(signal.SIGINT))
    with pytest.raises(Interrupted, match="stopped by SIGINT; the running trials have been killed"):
        run(trials, tmp_path, executor)
    assert executor.killed


def test_halving_stops_a_trial_and_a_later_run_leaves_it_so(tmp_path: Path) -> None:
    given, errors = study(3), {4: [50.0, 40.0], 5: [60.0], 6: [70.0]}

    def train(folder: Path) -> None:
        width = int(folder.name.split("2x")[1].split("d")[0])
        rows = [
            {"kind": "epoch", "step": n + 1, "epoch": n + 1, "top1_error": error}
            for n, error in enumerate(errors[width])
        ]
        (folder / "run").mkdir(exist_ok=True)
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / "run" / "metrics.jsonl").write_text(text)

    trials = trials_of(tmp_path, 3)
    halving = Halving(min_epochs=1, factor=2)
    executor = FakeExecutor(Status.DONE, ENDLESS, ENDLESS, look=train)
    run(trials, tmp_path, executor, judge=HalvingController(given, halving))
    assert executor.stopped == [trial.folder(tmp_path) for trial in trials[1:]]
    kept = json.loads((trials[1].folder(tmp_path) / "pruned.json").read_text())
    found = {"study": "s", "epoch": 1, "value": 60.0, "rung": 0, "measure": "top1_error"}
    assert kept == found | halving.model_dump()
    assert reasons(trials[1], tmp_path) == []

    again = FakeExecutor()
    run(trials, tmp_path, again, judge=HalvingController(given, halving))
    assert again.started == []
    run(trials, tmp_path, again)
    assert again.started == executor.stopped
    assert not list(tmp_path.rglob("pruned.json"))


def test_a_broken_data_set_does_not_keep_the_others_from_training(tmp_path: Path) -> None:
    sets = tuple(
        TrainConfig(data=DataConfig(name=name), runtime=RUNTIME) for name in ("digits", "cifar10")
    )
    given = study(2).replace(settings=sets)
    trials = plan_trials(given)
    for trial in trials:
        create_trial(trial, tmp_path)
    executor = FakeExecutor(Status.REFUSED, Status.REFUSED, Status.DONE, Status.DONE)
    run(trials, tmp_path, executor)
    rows = status_rows(given, tmp_path)
    assert [(row.trial.data, row.state) for row in rows] == [
        *2 * [("digits", "failed")],
        *2 * [("cifar10", "done")],
    ]


def test_what_is_refused_again_does_not_keep_new_seeds_from_training(tmp_path: Path) -> None:
    trials = trials_of(tmp_path, 3)
    executor = FakeExecutor(Status.REFUSED, Status.REFUSED, Status.DONE)
    run(trials, tmp_path, executor, num_done=1)
    assert len(executor.started) == 3


def test_a_folder_where_a_cut_cannot_be_kept_stops_the_study_and_lets_the_others_save(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = trials_of(tmp_path, 2)
    cut = Cut("s", 1, 60.0, 0, 1, 2)

    class Harsh:
        def look(self, trial: Trial, _: Path) -> Cut | None:
            return cut if trial is second else None

        def ended(self, _: str) -> None:
            pass

    def no_room(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(cut_module, "write_json", no_room)
    executor = FakeExecutor(ENDLESS)
    with pytest.raises(RunError, match="No space left"):
        run([first, second], tmp_path, executor, slots=2, judge=Harsh())
    assert executor.stopped == [first.folder(tmp_path)]


def test_a_trial_whose_folder_is_damaged_does_not_keep_the_others_from_training(
    tmp_path: Path,
) -> None:
    first, second, third = plan_trials(study(3))
    edited, _ = create_trial(first, tmp_path), create_trial(third, tmp_path)
    text = (third.folder(tmp_path) / "trial.json").read_text()
    (edited / "trial.json").write_text(text)
    second.folder(tmp_path).write_text("a file")
    executor = FakeExecutor()
    run([first, second, third], tmp_path, executor, num_done=1)
    assert executor.started == [third.folder(tmp_path)]
    rows = status_rows(study(3), tmp_path)
    assert [row.state for row in rows] == ["failed", "missing", "done"]
    assert "may have been edited" in rows[0].attempts[0]["detail"]


def test_damaged_figures_are_measured_again(tmp_path: Path) -> None:
    (trial,) = trials_of(tmp_path, 1)
    (trial.folder(tmp_path) / "result.json").write_text('{"top1_error": "x"}')
    executor = FakeExecutor()
    run([trial], tmp_path, executor)
    assert executor.started == [trial.folder(tmp_path)]
    assert read_row(trial, tmp_path).state == "done"
