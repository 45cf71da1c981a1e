import subprocess
import sys

import pytest

import resnext.serving.page
from resnext.errors import ConfigError


def test_gradio_is_imported_when_a_page_is_built_and_no_sooner() -> None:
    code = "import sys, resnext.serving.page; print({'gradio', 'torch'} & sys.modules.keys())"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"


def test_a_missing_extra_is_told_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"pip install 'resnext\[serve\]'"):
        resnext.serving.page.build_page(model=None, runs=None)
