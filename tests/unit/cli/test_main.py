"""The command: help without torch, a user's mistake as one message."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from resnext.cli.main import VERBS, main


def test_help_names_every_verb_with_a_summary(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for verb in VERBS:
        (line,) = [line for line in lines if line.startswith(f"  {verb} ")]
        assert len(line.split()) > 3


def test_help_imports_neither_torch_nor_tyro() -> None:
    code = (
        "import sys; from resnext.cli.main import main; main(['--help']); "
        "assert not {'torch', 'tyro', 'pydantic'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_importing_the_package_does_not_import_torch() -> None:
    code = "import sys, resnext; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_examples(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([verb, "--help"])
    assert stop.value.code == 0
    assert f"resnext {verb} " in capsys.readouterr().out.partition("Examples")[2]


def test_an_unknown_verb_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trian"]) == 2
    assert "did you mean 'train'?" in capsys.readouterr().err


def test_a_users_mistake_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["describe", "resnext18_32x4d"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("resnext: error: cardinality=32")
    assert len(err.splitlines()) == 1


def test_a_letter_that_the_terminal_lacks_is_no_error() -> None:
    code = "from resnext.cli.main import main; main(['--version']); print('\u201c')"
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env=environment, check=True
    )
    assert said.stdout.endswith(b"?\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "no/such/folder"], "neither a known set"),
        (["--model", "resnext50"], "cardinality and width"),
        (["--set", "optim.lr"], "write KEY=VALUE"),
        (["--set", "optim.speed=3"], "speed: no such setting"),
        (["--set", "optimizer.lr=3"], "no group 'optimizer'"),
        (["--set", "batch_size=[1"], "not valid YAML"),
        (["--lr", "-1"], "lr=-1.0"),
        (["--resume", "missing"], "missing is not a run folder"),
        (["--resume", "missing", "--lr", "1"], "--resume goes on with the run's own settings"),
        (["--config", "missing.yaml"], "cannot read missing.yaml"),
        (["--config", "x.yaml", "--recipe", "fast"], "leave out --recipe"),
        (["--weights", "missing.safetensors"], "no such file"),
        (["--device", "toaster"], "accepted are auto, cpu, cuda"),
    ],
)
def test_a_wrong_training_argument_is_explained(
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["train", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
