"""A run whose checkpoint is intact goes on, whatever its other files hold."""

import json
import shutil
from pathlib import Path

import pytest
from command import Command
from runs import assert_same_bits

from resnext.cli.main import main
from resnext.errors import ConfigError
from resnext.runs.folder import open_run, write_config
from resnext.runs.metrics_log import read_metrics
from resnext.training.display import Display
from resnext.training.target import RunTarget
from resnext.training.train import train

BAD_LINES = [
    b"\xff\xfe\x00\x80",
    b'{"kind": "epoch", "st',
    b"[1, 2]",
    b"null",
    b"{}",
    b"",
    b'{"kind": "epoch", "step": "ten", "epoch": 1, "top1_error": 4.0}',
    b'{"kind": "epoch", "step": 5, "epoch": 1}',
    b'{"kind": "epoch", "step": 5, "epoch": 1, "top1_error": "4"}',
    b'{"kind": "train", "step": 5, "epoch": 0, "loss": 1.0}',
    b'{"kind": "train", "step": -1, "loss": 1.0}',
    b'{"kind": "train", "step": true, "loss": 1.0}',
    b'{"kind": 7, "step": 5}',
    b'{"kind": "train", "step": 5, "loss": [[1]]}',
    b'{"kind": "train", "step": 5, "loss": 1' + b"0" * 400 + b"}",
    b'{"kind": "train", "step": ' + b"9" * 5000 + b"}",
    b"[" * 100_000,
]
DAMAGED = [b"", b"\xff\x00", b"{", b"[]", b"null", b"[" * 100_000, b'{"packages": 5, "device": []}']


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "run"))


def damage_log(run: Path) -> bytes:
    """Put bad lines between the good ones, and a torn one at the end."""
    good = (run / "metrics.jsonl").read_bytes().splitlines()
    lines = [*good[:1], *BAD_LINES, *good[1:], b'{"kind']
    (run / "metrics.jsonl").write_bytes(b"\n".join(lines))
    return (run / "metrics.jsonl").read_bytes()


def test_a_damaged_log_is_cut_to_its_good_lines_and_kept_aside(
    run: Path, finished: Path, caplog: pytest.LogCaptureFixture
) -> None:
    damaged = damage_log(run)
    assert main(["train", "--resume", str(run), "--quiet"]) == 0
    assert read_metrics(run) == read_metrics(finished)
    assert (run / "metrics.jsonl").read_bytes() == (finished / "metrics.jsonl").read_bytes()
    assert (run / "metrics.damaged.jsonl").read_bytes() == damaged
    assert [record.getMessage() for record in caplog.records] == [
        f"{run / 'metrics.jsonl'}: {len(BAD_LINES)} unreadable line(s); original kept as "
        "metrics.damaged.jsonl"
    ]
    damage_log(run)
    assert main(["train", "--resume", str(run), "--quiet"]) == 0
    assert (run / "metrics.damaged.jsonl").read_bytes() == damaged
    assert (run / "metrics.damaged-2.jsonl").exists()
    assert_same_bits(run, finished)


@pytest.mark.parametrize("verb", ["evaluate", "publish"])
def test_a_damaged_log_is_read_around(
    run: Path, tmp_path: Path, verb: str, caplog: pytest.LogCaptureFixture
) -> None:
    damage_log(run)
    more = {"evaluate": ["--quiet"], "publish": ["--to", str(tmp_path / "published")]}[verb]
    assert main([verb, str(run), *more]) == 0
    told = [record.getMessage() for record in caplog.records]
    assert told == [f"{run / 'metrics.jsonl'}: skipped {len(BAD_LINES)} unreadable line(s)"]


@pytest.mark.parametrize("content", DAMAGED)
def test_other_damaged_files_stop_nothing_and_the_environment_is_written_again(
    run: Path, tmp_path: Path, content: bytes
) -> None:
    for name in ("environment.json", "evaluation.json", "bad_files.json"):
        (run / name).write_bytes(content)
    assert main(["publish", str(run), "--to", str(tmp_path / "published")]) == 0
    assert main(["evaluate", str(run), "--quiet"]) == 0
    assert main(["train", "--resume", str(run), "--quiet"]) == 0
    environment = json.loads((run / "environment.json").read_text())
    assert isinstance(environment, dict)
    assert "packages" in environment


@pytest.mark.parametrize("content", [b"", b"\xff", b"[1]", b"[" * 100_000, b'{"a": "b"}'])
def test_damaged_classes_are_one_message(run: Path, content: bytes, command: Command) -> None:
    (run / "classes.json").write_bytes(content)
    told = command.refusal("train", "--resume", run, "--quiet")
    assert told.startswith("resnext: error: ")
    assert str(run / "classes.json") in told


def test_a_missing_beginning_is_completed(run: Path) -> None:
    """As if the run had been killed between its first files."""
    for path in run.iterdir():
        if path.is_file() and path.name != "config.yaml":
            path.unlink()
    assert main(["train", "--resume", str(run), "--quiet"]) == 0
    assert (run / "classes.json").exists()
    assert (run / "environment.json").exists()


def test_changed_settings_are_named_with_both_values(run: Path, finished: Path) -> None:
    config = open_run(run)
    write_config(run, config.replace(seed=1, batch_size=64))
    with pytest.raises(
        ConfigError, match=r"batch_size was 128 and is 64; seed was 0 and is 1.*new"
    ):
        resume(run)
    data = config.data.replace(workers=1)
    write_config(run, config.replace(recipe="x", checkpoint_minutes=3.0, data=data))
    assert main(["train", "--resume", str(run), "--quiet"]) == 0
    assert_same_bits(run, finished)


def test_more_epochs_go_on_and_fewer_do_not(run: Path) -> None:
    config = open_run(run)
    write_config(run, config.replace(schedule=config.schedule.replace(epochs=3)))
    assert main(["train", "--resume", str(run), "--quiet"]) == 0
    assert [row["epoch"] for row in read_metrics(run) if row["kind"] == "epoch"] == [1, 2, 3]
    write_config(run, config)
    with pytest.raises(ConfigError, match=r"schedule\.epochs was 3 and is 2"):
        resume(run)


def resume(run: Path) -> None:
    train(open_run(run), RunTarget(resume=run), Display("quiet"))
