"""Settings: frozen, and clear about what is wrong."""

import re
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest

from resnext.data.config import DataConfig
from resnext.errors import ConfigError
from resnext.model.config import ResNeXtConfig
from resnext.runs.config import ScheduleConfig, TrainConfig
from resnext.settings import Settings, override, override_all, override_together


def test_a_misspelt_setting_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(ConfigError, match="cardinallity: no such setting; did you mean 'cardin"):
        ResNeXtConfig(cardinallity=8)  # type: ignore[call-arg]  # the mistake under test


def test_a_wrong_value_is_named_with_its_setting() -> None:
    with pytest.raises(ConfigError, match=r"cardinality=0: .*greater than 0"):
        ResNeXtConfig(cardinality=0)


def test_a_wrong_value_in_a_group_is_named_with_the_group() -> None:
    with pytest.raises(ConfigError, match=r"optim: lr='high'"):
        TrainConfig(optim={"lr": "high"})


def test_a_value_in_place_of_a_list_is_answered_in_plain_words() -> None:
    with pytest.raises(ConfigError, match=r"size_schedule=1\.0: give a list, such as"):
        TrainConfig(size_schedule=1.0)


def test_settings_do_not_change_in_place() -> None:
    config = ResNeXtConfig()
    with pytest.raises(ValueError, match="frozen"):
        config.cardinality = 1  # type: ignore[misc]  # the mistake under test


def test_replacing_a_setting_checks_it_anew() -> None:
    with pytest.raises(ConfigError, match="two-layer"):
        ResNeXtConfig().replace(block="basic")
    assert ResNeXtConfig().replace(cardinality=1).cardinality == 1


def test_stage_widths_follow_the_stage_list_until_they_are_given() -> None:
    assert ResNeXtConfig().replace(blocks_per_stage=(1, 1)).stage_widths == (256, 512)
    given = ResNeXtConfig(blocks_per_stage=(1, 1), stage_widths=(32, 64))
    with pytest.raises(ConfigError, match="one width per stage"):
        given.replace(blocks_per_stage=(1, 1, 1))


def test_a_config_survives_its_own_serialisation() -> None:
    config = TrainConfig(model=ResNeXtConfig(cardinality=8, ndim=1), size_schedule=(0.5, 1.0))
    assert TrainConfig(**config.model_dump(mode="json")) == config


@pytest.mark.parametrize("milestones", [(0.5, 0.3), (0.0, 0.5), (0.5, 1.0)])
def test_milestones_that_are_no_rising_shares_are_refused(milestones: tuple[float, ...]) -> None:
    with pytest.raises(ConfigError, match="increasing fractions"):
        ScheduleConfig(kind="step", milestones=milestones)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"kind": "step", "final": 0.1},
            r"final=0\.1 needs kind='cosine', 'onecycle' or 'poly', not",
        ),
        ({"kind": "cosine", "gamma": 0.2}, r"gamma=0\.2 needs kind='step', not kind='cosine'"),
        ({"kind": "onecycle", "gamma": 0.2}, r"gamma=0\.2 needs kind='step', not kind='onecycle'"),
    ],
)
def test_a_schedules_setting_without_effect_is_refused(values: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ScheduleConfig(**values)


@pytest.mark.parametrize("kind", ["step", "cosine", "onecycle"])
def test_a_stored_schedule_with_all_its_values_is_read_again(kind: Any) -> None:
    schedule = ScheduleConfig(kind=kind)
    assert ScheduleConfig(**schedule.model_dump(mode="json")) == schedule


def test_a_schedule_of_sizes_without_a_size_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"size_schedule=.*give at least one"):
        TrainConfig(size_schedule=())


def test_freezing_random_weights_is_refused() -> None:
    with pytest.raises(ConfigError, match="freeze random weights"):
        TrainConfig(freeze_until=2)


def test_parts_that_do_not_divide_the_batch_are_refused() -> None:
    with pytest.raises(ConfigError, match="does not divide"):
        TrainConfig(batch_size=10, accumulate=3)


def test_a_missing_setting_is_named_without_the_others() -> None:
    class Place(Settings):
        street: str
        number: int = 1

    with pytest.raises(ConfigError) as caught:
        Place(number=2)  # type: ignore[call-arg]  # the mistake under test
    assert str(caught.value) == "street: is required"


def test_a_huge_or_active_value_is_shown_short_and_harmless() -> None:
    with pytest.raises(ConfigError) as caught:
        TrainConfig(seed="\x1b[2J" + "x" * 100_000)
    told = str(caught.value)
    assert len(told) < 300
    assert told.isprintable()


def test_of_many_wrong_settings_a_few_are_named() -> None:
    with pytest.raises(ConfigError, match=r"and 995 more$") as caught:
        TrainConfig(**{f"{number}\x1b" + "k" * 5000: 1 for number in range(1000)})
    assert len(str(caught.value)) < 6000
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", ["self", "__init__", "model_config"])
def test_no_name_of_python_is_a_setting(name: str) -> None:
    with pytest.raises(ConfigError, match=f"{name}: no such setting"):
        TrainConfig(**{name: 1})


@pytest.mark.parametrize(
    ("assignment", "told"),
    [
        ("seed=" + "9" * 5000, "more than 100 digits"),
        ("seed=" + "9" * 60, "seed=9+: .*less than or equal"),
        ("augment=" + "[" * 5000, "nested"),
        ("data={1: 2}", "not a text"),
        ("seed=2020-99-99", "seed='2020-99-99'"),
        ("optim.lr=.inf", "finite"),
        ("optim.lr=.nan", "lr=nan"),
        ("size_schedule=[1.0e+300]", "size_schedule.0=1e"),
        ("runtime.timeout_minutes=1.0e+300", "timeout_minutes"),
        ("runtime.threads=9999999999", "threads"),
        ("data.mean=[.inf]", "finite"),
        ("augment.policy=auto", r"^augment\.policy='auto': "),
        ("augment.area=[1, 0]", r"^augment\.area="),
        ("data.name=folder", r"^data\.name='folder' needs root"),
        ("optim.lr=[1", r"^optim\.lr='\[1' is not valid YAML"),
        ("data.image_size_px=100000", r"^data\.image_size_px=100000: .* 8192"),
        ("view.size_px=100000", r"^view\.size_px=100000: .* 8192"),
        ("augment.pad_px=100000", r"^augment\.pad_px=100000: .* 1024"),
        (f"weights={'x' * 10**5}", "path is longer than 4,095 bytes"),
        (f"weights={'x' * 300}", "a name in the path is longer than 255 bytes"),
        ('weights="a\\0b"', "cannot contain a NUL"),
        ('weights="caf\\udce9"', "weights=.* is not valid UTF-8"),
        ('data.root="caf\\udce9"', "is not valid UTF-8, the encoding of a run"),
        ("x: &x [*x]=1", "no such setting"),
        ("seed=&x [*x]", "refers to itself"),
    ],
)
def test_an_assignment_that_cannot_be_is_one_message(assignment: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told) as caught:
        override_all(TrainConfig(), [assignment])
    assert len(str(caught.value)) < 1500


def test_a_path_is_shown_as_a_person_writes_it() -> None:
    with pytest.raises(ConfigError, match=r"^root='/photos/a\\x00b': a path cannot contain a NUL"):
        DataConfig(name="folder", root=Path("/photos/a\0b"))


@pytest.mark.parametrize(
    ("assignments", "first", "second"),
    [
        (("model.blocks_per_stage=[1, 1]", "model.stage_widths=[16, 32]"), (1, 1), (16, 32)),
        (("model.stage_widths=[16, 32]", "model.blocks_per_stage=[1, 1]"), (16, 32), (1, 1)),
        (("data.name=folder", "data.root=photos"), "folder", Path("photos")),
        (("data.root=photos", "data.name=folder"), Path("photos"), "folder"),
    ],
)
def test_settings_that_need_each_other_are_changed_together(
    assignments: tuple[str, str], first: object, second: object
) -> None:
    config = override_all(TrainConfig(), assignments)
    for text, value in zip(assignments, (first, second), strict=True):
        assert attrgetter(text.partition("=")[0])(config) == value


def test_a_group_and_settings_in_it_are_changed_in_their_order() -> None:
    group = ("schedule", {"kind": "cosine", "epochs": 7})
    later = override_together(TrainConfig(), [group, ("schedule.epochs", 9)])
    assert (later.schedule.kind, later.schedule.epochs) == ("cosine", 9)
    earlier = override_together(TrainConfig(), [("schedule.epochs", 9), group])
    assert earlier.schedule.epochs == 7


def test_a_setting_without_its_group_is_named_with_it() -> None:
    with pytest.raises(ConfigError, match=r"no such setting; did you mean 'augment\.policy'"):
        override(TrainConfig(), "policy", "auto")


@pytest.mark.parametrize(
    ("group", "values", "named"),
    [
        (TrainConfig, {"batch_size": True}, "batch_size=True"),
        (TrainConfig, {"seed": False}, "seed=False"),
        (TrainConfig, {"size_schedule": [0.5, True]}, "size_schedule="),
        (TrainConfig, {"optim": {"lr": True}}, "lr=True"),
        (ScheduleConfig, {"epochs": True}, "epochs=True"),
        (DataConfig, {"workers": True}, "workers=True"),
        (DataConfig, {"mean": [True, True, True]}, "mean="),
        (ResNeXtConfig, {"blocks_per_stage": [True, 1]}, "blocks_per_stage="),
    ],
)
def test_true_and_false_are_no_numbers(
    group: type[Settings], values: dict[str, Any], named: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(named)):
        group(**values)


def test_switches_still_take_true_and_false() -> None:
    assert override(TrainConfig(), "optim.nesterov", "false").optim.nesterov is False
    assert TrainConfig(freeze_norm=True).freeze_norm
    assert ResNeXtConfig(zero_init_residual=True).zero_init_residual


@pytest.mark.parametrize("separator", [" ", "\t", ";"])
def test_a_separator_of_white_space_is_a_value(separator: str) -> None:
    data = DataConfig(name="table", root=Path("labels.csv"))
    assert override(data, "label_separator", separator).label_separator == separator
