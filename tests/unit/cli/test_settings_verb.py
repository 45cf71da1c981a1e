"""The reference of all settings."""

from pathlib import Path

from command import Command

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
    unset = ("output_stride", "dropout", "pool_time", "embedding.num_tokens", "embedding.width")
    left_out = {f"model.{name}" for name in unset}  # not written where they are not set
    assert {s.key for s in settings} == _keys(TrainConfig().model_dump()) | left_out
    assert len({s.key for s in settings}) == len(settings)
    assert all(s.meaning for s in settings)


def test_recipes_are_named_where_they_set_a_value(command: Command) -> None:
    (setting,) = command.json("settings", "optim.weight_decay")
    assert setting["default"] == "0.0001"
    assert setting["recipes"]["cifar"] == "0.0005"  # the paper's, appendix A
    assert "imagenet" not in setting["recipes"]  # the paper's is the default


def test_a_group_is_shown_whole(command: Command) -> None:
    shown = command.prints("settings", "view")
    assert "view.ten_crop = false    (true|false)" in shown
    assert "optim." not in shown


def test_the_last_part_of_a_key_leads_to_the_whole(command: Command) -> None:
    assert "no setting 'mixup'; did you mean augment.mixup?" in command.refusal("settings", "mixup")


def test_the_page_is_what_the_command_writes(command: Command) -> None:
    assert command.prints("settings", "--markdown") == _PAGE.read_text()
