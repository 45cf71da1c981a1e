"""The code of docs/custom-blocks.md, and plugins that leave no trace in other tests."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from resnext import plugins
from resnext.model import registry

PAGE = (Path(__file__).parents[2] / "docs" / "custom-blocks.md").read_text(encoding="utf-8")

BLOCK, PROGRAM, STEM_AND_SHORTCUT = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
(COMMANDS,) = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
(STUDY,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def page_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the working folder with the files of the page; what is loaded is forgotten again."""
    (tmp_path / "se.py").write_text(BLOCK)
    (tmp_path / "parts.py").write_text(STEM_AND_SHORTCUT)
    (tmp_path / "gates.yaml").write_text(STUDY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(plugins.VARIABLE, "")
    monkeypatch.setattr(plugins, "_loaded", {})
    monkeypatch.setattr(registry, "_parts", {})
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("resnext_plugin_")]:
        del sys.modules[name]
