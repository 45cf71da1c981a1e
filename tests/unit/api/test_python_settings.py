"""Keywords and dotted settings of a program become what the command line takes."""

from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pytest

from resnext.api.evaluate import EvaluateFlags
from resnext.api.evaluate_request import EvaluateRequest
from resnext.api.export import ExportFlags
from resnext.api.export_request import ExportRequest
from resnext.api.given_data import as_path, open_given
from resnext.api.settings import as_assignments, check_names
from resnext.api.train import TrainFlags
from resnext.api.train_request import TrainRequest
from resnext.cli.evaluate import Evaluate
from resnext.cli.export import Export
from resnext.cli.train import Train
from resnext.data.augment.config import AugmentConfig
from resnext.data.config import DataConfig
from resnext.errors import ConfigError
from resnext.runs.config import TrainConfig
from resnext.settings import override_all


def test_values_of_python_arrive_as_they_are() -> None:
    given: dict[str, Any] = {
        "optim.weight_decay": 1e-5,
        "optim.nesterov": False,
        "optim.clip_norm": None,
        "size_schedule": (0.5, 1.0),
        "batch_size": np.int64(48),
        "data.mean": np.array([0.5, 0.25, 0.125]),
        "data.root": Path("a: b # c"),
        "augment": AugmentConfig(crop="pad", pad_px=3),
        "class_weights": {"yes": 2.0},
        "recipe": "no",
    }
    config = override_all(TrainConfig(), as_assignments(given))
    assert (config.optim.weight_decay, config.optim.nesterov) == (1e-5, False)
    assert config.optim.clip_norm is None
    assert (config.size_schedule, config.batch_size) == ((0.5, 1.0), 48)
    assert (config.data.mean, config.data.root) == ((0.5, 0.25, 0.125), Path("a: b # c"))
    assert config.augment == AugmentConfig(crop="pad", pad_px=3)
    assert config.recipe == "no"  # not what YAML makes of it without quotes
    assert as_assignments(None) == ()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"optim.lr": object()}, "optim.lr=<object object"),
        ({"a=b": 1}, "'a=b' is not a name"),
        ({3: 1}, "3 is not a name"),
        (["optim.lr=1"], "give a dict such as"),
    ],
)
def test_what_no_settings_can_hold_is_refused(settings: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        as_assignments(settings)


def test_an_unknown_keyword_is_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="seeds: no such setting; did you mean 'seed'"):
        check_names(["seeds"], TrainFlags.__annotations__)
    with pytest.raises(ConfigError, match="accepted are head, epochs, batch_size"):
        check_names(["xyz"], TrainFlags.__annotations__)


FLAGS = (
    (TrainFlags, TrainRequest, Train, {"data", "model", "recipe", "out", "name", "set"}),
    (EvaluateFlags, EvaluateRequest, Evaluate, {"data"}),
    (ExportFlags, ExportRequest, Export, {"run", "out"}),
)


@pytest.mark.parametrize(("flags", "request_type", "verb", "arguments"), FLAGS)
def test_every_flag_of_a_verb_is_a_keyword(
    flags: type, request_type: type, verb: type, arguments: set[str]
) -> None:
    asked = {field.name for field in fields(request_type)}
    assert flags.__annotations__.keys() | arguments == asked
    of_the_command_only = {"quiet", "json", "resume", "find_lr", "run", "device", "report", "out"}
    assert set(get_type_hints(verb)) - asked <= of_the_command_only


def test_what_is_given_as_data_is_told_apart() -> None:
    assert open_given("photos/").named == "photos/"
    assert open_given(Path("photos")).named == "photos"
    config = DataConfig(name="digits")
    assert open_given(config).named == config
    assert open_given(None).named is None
    given = open_given([(np.zeros((2, 2)), 0)])
    assert given.named == DataConfig(name="python")
    assert len(given.dataset) == 1
    for argument in ("val", "classes"):
        with pytest.raises(ConfigError, match=f"{argument}= is only for a dataset"):
            open_given("digits", **{argument: ["a"]})


def test_paths_are_texts_or_paths() -> None:
    assert as_path("out", "a") == as_path("out", Path("a")) == Path("a")
    assert as_path("out", None) is None
    for value, message in (
        (3, "out=3: give a path"),
        ("a\0b", "out='a.x00b': a path cannot contain"),
    ):
        with pytest.raises(ConfigError, match=message):
            as_path("out", value)
