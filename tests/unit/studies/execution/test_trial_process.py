import signal
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_config import TINY

from resnext.claim import Claim, find_holder, take_claim
from resnext.data.config import DataConfig
from resnext.data.sets import fashion_mnist
from resnext.errors import RunError
from resnext.runs.config import OptimConfig, RuntimeConfig, ScheduleConfig, TrainConfig
from resnext.runs.metrics_log import read_metrics
from resnext.studies.execution import trial_process
from resnext.studies.execution.attempts import Status, last_words, record_attempt
from resnext.studies.execution.trial_process import main
from resnext.studies.records.machines import read_machines
from resnext.studies.records.measured import figures_of
from resnext.studies.records.results import TrialFigures, read_row
from resnext.studies.records.trial import ATTEMPTS, Trial, create_trial, read_trial
from resnext.studies.study import Design, Test


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    previous = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, previous)


def trial(*tests: Test, **changes: Any) -> Trial:
    config = TrainConfig(
        model=TINY,
        data=DataConfig(name="digits", workers=0, num_train=100),
        schedule=ScheduleConfig(epochs=2),
        runtime=RuntimeConfig(device="cpu", precision="fp32", threads=1),
        batch_size=50,
        keep="last",
    )
    return Trial(Design(label="2x4d", model=TINY), config.replace(**changes), tests)


def train(folder: Path) -> int:
    return main([str(folder), "--workers=0"])


@pytest.mark.slow
def test_a_trial_is_trained_tested_and_given_back(tmp_path: Path) -> None:
    given = trial(Test(name="again"))
    folder = create_trial(given, tmp_path)
    assert train(folder) == Status.DONE
    row = read_row(given, tmp_path)
    assert row.state == "done"
    assert row.figures is not None
    last = read_metrics(folder / "run")[-1]
    assert (row.figures.epochs, row.value()) == (2, last["top1_error"])
    assert row.value("again") == pytest.approx(row.value())
    assert find_holder(folder) is None


def test_what_is_done_is_not_done_again_but_a_new_test_is(tmp_path: Path) -> None:
    folder = create_trial(trial(), tmp_path)
    assert train(folder) == Status.DONE
    before = (folder / "run" / "last.safetensors").stat().st_mtime_ns
    wanted = trial(Test(name="again"))
    assert create_trial(wanted, tmp_path) == folder
    assert read_row(wanted, tmp_path).state == "missing"
    assert train(folder) == Status.DONE
    assert read_row(wanted, tmp_path).state == "done"
    assert (folder / "run" / "last.safetensors").stat().st_mtime_ns == before


def _write_fashion_mnist(folder: Path, num: int) -> None:
    folder.mkdir()
    labels = bytes(number % 10 for number in range(num))
    for part in ("train", "t10k"):
        images = struct.pack(">4I", 0x0803, num, 28, 28) + bytes(num * 28 * 28)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(images)
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x0801, num) + labels)


def test_a_trial_whose_images_have_moved_is_tested_where_they_are_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trial_on(place: Path, *tests: Test) -> Trial:
        data = DataConfig(name="fashion-mnist", root=place, workers=0)
        return trial(*tests, data=data, batch_size=10, schedule=ScheduleConfig(epochs=1))

    monkeypatch.setattr(fashion_mnist, "_PARTS", {"train": 20, "t10k": 20})
    before, after = tmp_path / "before", tmp_path / "after"
    _write_fashion_mnist(before, 20)
    folder = create_trial(trial_on(before), tmp_path)
    assert train(folder) == Status.DONE
    before.rename(after)
    tests = (
        Test(name="own"),
        Test(name="named", data=DataConfig(name="fashion-mnist", root=after)),
    )
    wanted = trial_on(after, *tests)
    assert create_trial(wanted, tmp_path) == folder
    assert train(folder) == Status.DONE
    row = read_row(wanted, tmp_path)
    assert row.value("own") == row.value("named") == pytest.approx(row.value())


def test_a_run_folder_that_was_being_made_is_made_anew(tmp_path: Path) -> None:
    folder = create_trial(trial(), tmp_path)
    (folder / "run").mkdir()
    (folder / "run" / "config.yaml.partial").write_text("mod")
    assert train(folder) == Status.DONE


def test_a_trial_that_another_holds_is_left_alone(tmp_path: Path) -> None:
    folder = create_trial(trial(), tmp_path)
    claim = take_claim(folder, lambda: None)
    assert isinstance(claim, Claim)
    assert train(folder) == Status.HELD
    claim.release()
    assert not (folder / "run").exists()


def test_a_loss_that_is_no_number_has_its_own_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = trial(optim=OptimConfig(lr=1e30))
    folder = create_trial(given, tmp_path)
    assert train(folder) == Status.DIVERGED
    assert "the loss became" in capsys.readouterr().out
    assert find_holder(folder) is None


def test_a_setting_that_is_refused_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = create_trial(trial(data=DataConfig(name="digits", num_train=10**6)), tmp_path)
    assert train(folder) == Status.REFUSED
    (folder / "log.txt").write_text(capsys.readouterr().out)
    assert "num_train=1000000" in last_words(folder)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (MemoryError(), Status.OUT_OF_MEMORY),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate"),
            Status.OUT_OF_MEMORY,
        ),
        (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"), Status.OUT_OF_MEMORY),
        (RuntimeError("shapes differ"), Status.CRASHED),
        (KeyError("epoch"), Status.CRASHED),
    ],
)
def test_what_breaks_has_a_status_and_a_trace(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    status: Status,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(trial_process, "train_run", fail)
    folder = create_trial(trial(), tmp_path)
    assert train(folder) == status
    assert "Traceback" in capsys.readouterr().err
    assert find_holder(folder) is None


def test_a_signal_before_training_ends_the_process_and_gives_the_claim_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        trial_process, "train_run", lambda *_, **__: signal.raise_signal(signal.SIGTERM)
    )
    folder = create_trial(trial(), tmp_path)
    with pytest.raises(SystemExit) as stop:
        train(folder)
    assert stop.value.code == 128 + signal.SIGTERM
    assert find_holder(folder) is None


def test_the_figures_of_a_process_that_was_taken_over_are_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = create_trial(trial(), tmp_path)

    def lose(*_: object, **__: object) -> None:
        (folder / "claim-000002").touch()

    def leave(status: int) -> None:
        raise InterruptedError(status)

    monkeypatch.setattr(trial_process, "train_run", lose)
    monkeypatch.setattr(trial_process, "figures_of", TrialFigures.model_construct)
    monkeypatch.setattr("os._exit", leave)
    train(folder)
    assert "InterruptedError: 5" in capsys.readouterr().err  # instead of the end of the process
    assert not (folder / "result.json").exists()


def test_the_trial_says_what_it_trains_and_how_it_is_computed(tmp_path: Path) -> None:
    given = trial()
    folder = create_trial(given, tmp_path)
    assert read_trial(folder).config == given.config
    assert train(folder) == Status.DONE
    (machine,) = read_machines(folder)
    assert (machine.device, machine.precision, machine.threads) == ("cpu", "float32", 1)


def test_a_run_that_was_killed_before_it_had_begun_is_begun_anew(tmp_path: Path) -> None:
    given = trial()
    folder = create_trial(given, tmp_path)
    assert train(folder) == Status.DONE
    (folder / "result.json").unlink()
    (folder / "run" / "environment.json").unlink()  # the last file of the beginning
    assert train(folder) == Status.DONE
    assert read_row(given, tmp_path).state == "done"
    assert (folder / "run" / "environment.json").exists()


def test_a_record_that_a_full_disk_cut_off_is_left_out(tmp_path: Path) -> None:
    given = trial()
    folder = create_trial(given, tmp_path)
    (folder / ATTEMPTS).write_text('{"reason": "killed", "detail": "by SIG')
    record_attempt(folder, Status.CRASHED, is_last=True)
    assert [attempt["reason"] for attempt in read_row(given, tmp_path).attempts] == ["crashed"]


def test_damaged_figures_are_read_again_from_the_run_that_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = trial(Test(name="again"))
    folder = create_trial(given, tmp_path)
    assert train(folder) == Status.DONE
    before = read_row(given, tmp_path)
    weights = (folder / "run" / "last.safetensors").read_bytes()
    for file in (folder / "result.json", next((folder / "tests").iterdir())):
        file.write_text("[" * 10_000)
    assert read_row(given, tmp_path).state == "missing"
    assert train(folder) == Status.DONE
    assert "is damaged: it is not valid JSON: it is nested too deeply" in capsys.readouterr().out
    assert read_row(given, tmp_path) == before
    assert (folder / "run" / "last.safetensors").read_bytes() == weights


def test_a_trial_that_this_machine_cannot_compute_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runtime = RuntimeConfig(device="cuda", precision="bf16", threads=1)
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    assert train(create_trial(trial(runtime=runtime), tmp_path)) == Status.REFUSED
    assert "torch finds no GPU here" in capsys.readouterr().out


def test_a_run_without_figures_is_refused_with_what_to_do(tmp_path: Path) -> None:
    folder = create_trial(trial(), tmp_path)
    assert train(folder) == Status.DONE
    log = folder / "run" / "metrics.jsonl"
    log.write_text(log.read_text().replace("epoch", "x"))
    with pytest.raises(RunError, match="to train the trial again"):
        figures_of(folder)
