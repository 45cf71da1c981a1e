"""Slips in Python programs: each is one ConfigError that says what is accepted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from digits_network import save_network

import resnext
from resnext.errors import ConfigError

API: Any = resnext  # the mistakes under test are also mistakes of type

ITEMS = [(np.zeros((8, 8), np.uint8), number % 2) for number in range(20)]


class DataFrame:
    """Has items by name, as pandas' tables have."""

    def __len__(self) -> int:
        return 20

    def __getitem__(self, key: str) -> object:
        return {"image": 0}[key]


def huge_label() -> list[Any]:
    return [*ITEMS, (ITEMS[0][0], 10**9)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: API.train(ITEMS, classes="ab"), r"classes='ab': give a list of texts"),
        (lambda: API.train(ITEMS, classes=2), r"classes=2: give a list of texts"),
        (lambda: API.train(ITEMS, classes=[0, 1]), r"classes=\[0, 1\]: give a list of texts"),
        (lambda: API.train(DataFrame()), "data of type DataFrame: give a path"),
        (lambda: API.train(dict(enumerate(ITEMS))), "data of type dict: give a path"),
        (lambda: API.train(huge_label()), "labels go up to 1,000,000,000, but there are 21"),
        (lambda: API.train(ITEMS, out="b", name="a"), "give either --out or --name"),
        (
            lambda: API.train(ITEMS, settings={"data.name": "digits"}),
            "data.name names another data set",
        ),
        (lambda: API.run_study("table3", "digits", scale="small", seeds=5), "seeds=5: give a"),
        (lambda: API.run_study("table3", "digits", scale="small", seeds=["a"]), "seeds='a'"),
        (
            lambda: API.run_study("table3", "digits", scale="small", seeds=[0, None]),
            r"seeds=\[0, None\]: give a list of whole numbers",
        ),
        (lambda: API.design("resnet50", cardinality="4"), "--cardinality '4': give 1 or more"),
    ],
)
def test_a_slip_is_a_clear_error(
    call: Callable[[], object], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=message):
        call()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"top": "2"}, "top='2': give a whole number, 1 or more"),
        ({"top": 1.5}, "top=1.5: give a whole number, 1 or more"),
        ({"batch_size": "5"}, "batch_size='5': give a whole number, 1 to 65,536"),
        ({"batch_size": True}, "batch_size=True: give a whole number, 1 to 65,536"),
        ({"precision": "banana"}, "precision='banana': accepted are fp32, bf16"),
    ],
)
def test_options_of_a_prediction_are_checked(
    options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        API.predict(save_network(tmp_path / "net.safetensors"), ITEMS[0][0], **options)


def test_numbers_of_numpy_are_numbers(tmp_path: Path) -> None:
    network = save_network(tmp_path / "net.safetensors")
    (found,) = API.predict(network, ITEMS[0][0], top=np.int64(2), batch_size=np.int64(1))
    assert len(found.ranked) == 2
