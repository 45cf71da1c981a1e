"""The reference of all settings."""

import json
from pathlib import Path

import pytest

from resnext.cli.main import main
from resnext.cli.settings_reference import reference
from resnext.runs.config import TrainConfig

_PAGE = Path(__file__).parents[3] / "docs/settings.md"


def _keys(values: dict[str, object], prefix: str = "") -> set[str]:
    keys = set()
    for name, value in values.items():
        keys |= _keys(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name}
    return keys


def test_every_setting_is_listed_once_with_a_meaning() -> None:
    settings = reference()
    assert {s.key for s in settings} == _keys(TrainConfig().model_dump())
    assert len({s.key for s in settings}) == len(settings)
    assert all(s.meaning for s in settings)


def test_recipes_are_named_where_they_set_a_value(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settings", "optim.weight_decay", "--json"]) == 0
    (setting,) = json.loads(capsys.readouterr().out)
    assert setting["default"] == "0.0001"
    assert setting["recipes"]["cifar"] == "0.0005"  # the paper's, appendix A
    assert "imagenet" not in setting["recipes"]  # the paper's is the default


def test_a_group_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settings", "view"]) == 0
    shown = capsys.readouterr().out
    assert "view.ten_crop = false    (true|false)" in shown
    assert "optim." not in shown


def test_the_last_part_of_a_key_leads_to_the_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settings", "mixup"]) == 2
    assert "no setting 'mixup'; did you mean augment.mixup?" in capsys.readouterr().err


def test_the_page_is_what_the_command_writes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["settings", "--markdown"]) == 0
    assert capsys.readouterr().out == _PAGE.read_text()
