"""The lock file pins what the tests need, within the ranges of pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LINES = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8").splitlines()
PINS = dict(line.split("==") for line in LINES if not line.startswith("#"))


def required(extra: str) -> list[Requirement]:
    """Return the requirements of an extra, with those of the extras that it includes."""
    found = []
    for text in PROJECT["optional-dependencies"][extra]:
        one = Requirement(text)
        if one.name == "resnext":
            found += [inner for name in one.extras for inner in required(name)]
        else:
            found.append(one)
    return found


def test_every_requirement_is_pinned_to_a_version_that_it_accepts() -> None:
    needed = [*map(Requirement, PROJECT["dependencies"]), *required("dev")]
    assert len(needed) > 40
    pins = {one: PINS.get(canonicalize_name(one.name)) for one in needed}
    assert [str(one) for one, pin in pins.items() if pin is None or pin not in one.specifier] == []


def test_the_file_has_plain_versions_in_order() -> None:
    assert list(PINS) == sorted(PINS)
    pinned = [line for line in LINES if not line.startswith("#")]
    assert len(pinned) == len(PINS)
    assert [line for line in pinned if not re.fullmatch(r"[a-z0-9-]+==[0-9a-z.]+", line)] == []
