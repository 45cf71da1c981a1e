"""The command: help without torch, a user's mistake as one message."""

from pathlib import Path

import pytest
from command import Command
from python_process import run_python

from resnext.cli.main import VERBS

HEAVY = {"torch", "onnxruntime", "huggingface_hub", "pyarrow", "fastapi", "uvicorn", "gradio"}


def test_help_names_every_verb_with_a_summary(command: Command) -> None:
    lines = command.prints("--help").splitlines()
    for verb in VERBS:
        (line,) = [line for line in lines if line.startswith(f"  {verb} ")]
        assert len(line.split()) > 3


def test_help_imports_neither_torch_nor_tyro() -> None:
    run_python(
        "import sys; from resnext.cli.main import main; main(['--help']); "
        "assert not {'torch', 'tyro', 'pydantic'} & set(sys.modules)"
    )


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_examples(verb: str, command: Command) -> None:
    assert f"resnext {verb} " in command.help(verb).partition("Examples")[2]


@pytest.mark.parametrize("columns", [60, 80])
@pytest.mark.parametrize("verb", VERBS)
def test_all_help_but_the_examples_fits_the_terminal(
    verb: str, columns: int, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    text = command.help(verb)
    wide = [line for line in text.splitlines() if len(line) > columns]
    assert [line for line in wide if not line.startswith("  ")] == []
    assert len(text.splitlines()) > 20


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_imports_nothing_heavy(verb: str) -> None:
    run_python(
        "import sys; from resnext.cli.main import main\n"
        f"try: main([{verb!r}, '--help'])\nexcept SystemExit: pass\n"
        f"assert not {HEAVY} & set(sys.modules)"
    )


def test_an_unknown_verb_is_answered_with_the_nearest(command: Command) -> None:
    assert "did you mean 'train'?" in command.refusal("trian")


def test_a_users_mistake_is_one_line_on_stderr(command: Command) -> None:
    message = command.refusal("describe", "resnext18_32x4d")
    assert message.startswith("resnext: error: cardinality=32")
    assert len(message.splitlines()) == 1


def test_a_letter_that_the_terminal_lacks_is_no_error() -> None:
    code = "from resnext.cli.main import main; main(['--version']); print('\u201c')"
    assert run_python(code, PYTHONIOENCODING="ascii").endswith("?\n")


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
        (["--resume", "missing", "--lr", "1"], "--resume uses the run's own settings"),
        (["--config", "missing.yaml"], "cannot read missing.yaml"),
        (["--config", "x.yaml", "--recipe", "fast"], "leave out --recipe"),
        (["--weights", "missing.safetensors"], "no such file"),
        (["--device", "toaster"], "accepted are auto, cpu, cuda"),
    ],
)
def test_a_wrong_training_argument_is_explained(
    arguments: list[str], message: str, command: Command, here: Path
) -> None:
    assert message in command.refusal("train", *arguments)
    assert list(here.iterdir()) == []
