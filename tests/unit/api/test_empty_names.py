"""An empty name is refused: as a path it would be the current folder, elsewhere the default."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import resnext
from resnext.errors import ConfigError

CALLS: dict[str, Callable[[], Any]] = {
    "load": lambda: resnext.load(""),
    "open_run": lambda: resnext.open_run(""),
    "evaluate": lambda: resnext.evaluate(""),
    "the network of predict": lambda: resnext.predict("", "photo.jpg"),
    "the data of train": lambda: resnext.train(""),
    "the model of train": lambda: resnext.train("digits", model=""),
    "the folder of train": lambda: resnext.train("digits", out=""),
    "the name of train": lambda: resnext.train("digits", name=""),
    "the study": lambda: resnext.run_study(""),
    "the data of a study": lambda: resnext.run_study("table3", "", scale="small"),
    "the root of a study": lambda: resnext.run_study("table3", "digits", root=""),
    "count": lambda: resnext.count(""),
    "create_model": lambda: resnext.create_model(""),
}


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("name", CALLS)
def test_an_empty_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        CALLS[name]()


def test_an_empty_path_does_not_mean_the_images_of_this_folder() -> None:
    from resnext.api.predict import _each

    for images in ("", [""], [b"bytes", ""]):
        with pytest.raises(ConfigError, match="the path is empty"):
            list(_each(images))
