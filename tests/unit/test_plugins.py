"""Plugins are imported on the word of a command, a variable or a program."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from own_parts import page_files

from resnext import plugins
from resnext.cli.main import main
from resnext.errors import ConfigError
from resnext.model.parts import BlockPart
from resnext.model.registry import find_part, registered

__all__ = ["page_files"]


def test_a_file_is_loaded_once_and_named_for_other_processes(page_files: Path) -> None:
    module = plugins.load_plugin("se.py")
    assert plugins.load_plugin(page_files / "se.py") is module
    assert os.environ[plugins.VARIABLE] == str(page_files / "se.py")
    assert plugins.environment() == {plugins.VARIABLE: str(page_files / "se.py")}
    plugins.check_shared(module.__name__)
    (name,) = plugins.describe_plugins()
    assert name == str(page_files / "se.py")


def test_the_variable_is_read_where_a_name_is_not_known(
    page_files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_part("se") is None
    names = os.pathsep.join([str(page_files / "se.py"), str(page_files / "parts.py")])
    monkeypatch.setenv(plugins.VARIABLE, names)
    assert find_part("se") is not None
    assert list(registered(BlockPart)) == ["se"]  # type: ignore[type-abstract]


def test_a_plugin_that_fails_is_one_message(page_files: Path) -> None:
    (page_files / "broken.py").write_text("1 / 0")
    with pytest.raises(ConfigError, match=r"broken.py' cannot be imported \(ZeroDivisionError"):
        plugins.load_plugin("broken.py")
    with pytest.raises(ConfigError, match="'no_such_module' cannot be imported"):
        plugins.load_plugin("no_such_module")
    with pytest.raises(ConfigError, match=r"missing.py' cannot be imported \(FileNotFoundError"):
        plugins.load_plugin("missing.py")


def test_two_files_of_one_name_are_refused(page_files: Path) -> None:
    plugins.load_plugin("se.py")
    (page_files / "other").mkdir()
    (page_files / "other" / "se.py").write_text("")
    with pytest.raises(ConfigError, match="has the same file name; rename one"):
        plugins.load_plugin("other/se.py")


def test_a_part_that_other_processes_would_not_find_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"__main__' registers a part .* load"):
        plugins.check_shared("__main__")


@pytest.mark.usefixtures("page_files")
def test_every_verb_takes_plugins_at_any_place(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["describe", "--plugin", "se.py", "resnext_1-1_2x4d_cifar_se"]) == 0
    assert main(["--plugin=parts.py", "describe", "resnext_1-1_2x4d_cifar_deep"]) == 0
    assert "se (reduction=16)" in capsys.readouterr().out
    assert main(["describe", "resnet50", "--plugin"]) == 2
    assert "--plugin: give MODULE or FILE.py, and a verb" in capsys.readouterr().err
