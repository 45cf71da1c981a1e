import asyncio
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

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


def test_an_address_in_place_of_an_image_is_not_fetched() -> None:
    gradio = pytest.importorskip("gradio", reason="the extra `serve` is not installed")
    from resnext.serving.page.classify_tab import _refuse_addresses

    taken: list[str] = []

    async def take(path: str) -> str:
        taken.append(path)
        return path

    files: Any = SimpleNamespace(async_move_resource_to_block_cache=take)
    guarded = _refuse_addresses(files)
    for address in ("http://127.0.0.1:1/x.png", "https://example.org/x.png", "ftp://a/b"):
        with pytest.raises(gradio.Error, match="addresses are not fetched"):
            asyncio.run(guarded(address))
    assert asyncio.run(guarded("uploads/x.png")) == "uploads/x.png"
    assert taken == ["uploads/x.png"]
