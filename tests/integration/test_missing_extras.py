"""Features whose extra is not installed name the extra to install."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from resnext.extras import EXTRA_OF

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = sorted(PROJECT["optional-dependencies"].keys() - {"dev", "docs"})


@pytest.mark.slow
def test_every_extra_is_named_by_a_feature_that_misses_it() -> None:
    command: list[str | Path] = [sys.executable, ROOT / "deploy/missing_extras.py", "--block"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.findall(r"^without ([a-z]+): ", done.stdout, re.MULTILINE) == EXTRAS


def test_every_extra_has_a_package_that_its_message_names() -> None:
    assert sorted(set(EXTRA_OF.values())) == EXTRAS
