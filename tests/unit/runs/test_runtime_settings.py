"""Settings of the runtime: what is left open, and the former name of the layout."""

import pytest

from resnext.errors import ConfigError
from resnext.runs.config import RuntimeConfig, TrainConfig
from resnext.settings import override


@pytest.mark.parametrize(("is_last", "layout"), [(True, "channels_last"), (False, "contiguous")])
def test_files_of_earlier_versions_are_read(is_last: bool, layout: str) -> None:
    config = TrainConfig(runtime={"channels_last": is_last, "compile": True})
    assert config.runtime == RuntimeConfig(layout=layout, compile=True)


def test_the_former_name_is_refused_beside_the_new_one() -> None:
    with pytest.raises(ConfigError, match="former name of layout; give layout=channels_last"):
        override(TrainConfig(), "runtime.channels_last", "false")


def test_the_former_name_takes_true_and_false_only() -> None:
    with pytest.raises(ConfigError, match="channels_last='auto': give true or false"):
        RuntimeConfig(channels_last="auto")  # type: ignore[call-arg]  # as a file


@pytest.mark.parametrize("name", ["layout", "compile", "merge_groups"])
def test_each_of_three_settings_can_be_left_open(name: str) -> None:
    assert override(TrainConfig(), f"runtime.{name}", "auto").runtime.is_open
    assert not TrainConfig().runtime.is_open


def test_compile_takes_true_false_and_auto() -> None:
    assert override(TrainConfig(), "runtime.compile", "true").runtime.compile is True
    with pytest.raises(ConfigError, match="compile"):
        override(TrainConfig(), "runtime.compile", "maybe")
