import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest
from python_process import run_python

import resnext.page
from resnext.errors import ConfigError
from resnext.model.card import ModelCard
from resnext.model.config import ResNeXtConfig
from resnext.page.heading import heading
from resnext.runtimes.exported import Exported
from resnext.runtimes.spec import ExportSpec


def test_gradio_is_imported_when_a_page_is_built_and_no_sooner() -> None:
    code = "import sys, resnext.page; print({'gradio', 'torch'} & sys.modules.keys())"
    assert run_python(code) == "set()\n"


def test_a_missing_extra_is_told_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "resnext.page.page", raising=False)
    monkeypatch.setitem(sys.modules, "gradio", None)
    with pytest.raises(ConfigError, match=r"pip install 'resnext\[serve\]'"):
        resnext.page.build_page(model=None, runs=None)


def colours(*classes: str) -> Exported:
    """Return an exported network of some classes that is never run."""
    config = ResNeXtConfig(num_classes=len(classes))
    card = ModelCard(classes=classes, image_size_px=8, resize_px=None)
    spec = ExportSpec(format="onnx", input="pixels", size_px=8)
    return Exported(Path("colours.onnx"), config, card, spec, lambda batch: batch)


def built(**given: Any) -> Any:
    """Build a page; gradio would leave a loop open where none is running."""

    async def build() -> Any:
        return resnext.page.build_page(runs=None, **given)

    return asyncio.run(build())


def selected_tab(page: Any) -> str:
    (tabs,) = (one for one in page.config["components"] if one["type"] == "tabs")
    return str(tabs["props"]["selected"])


@pytest.mark.slow
def test_the_page_opens_on_the_served_network() -> None:
    pytest.importorskip("gradio", reason="the extra `serve` is not installed")
    model = colours("red", "green")
    page = built(model=model, name="my colours")
    labels = [
        one["props"]["label"] for one in page.config["components"] if one["type"] == "tabitem"
    ]
    assert labels == ["Classify", "Design", "Runs"]
    assert selected_tab(page) == "classify"
    assert page.title == "my colours · resnext"
    empty = built(model=None)
    assert (selected_tab(empty), empty.title) == ("design", "resnext")


def test_the_heading_names_the_network_and_its_classes() -> None:
    html = heading(colours("red", "green"), "my colours")
    assert "<h1>my colours</h1>" in html
    assert "resnext50_32x4d, 2 classes: red, green<" in html
    assert "<h1>resnext50_32x4d</h1>" in heading(colours("red"), "")
    many = heading(colours(*map(str, range(1000))), "x")
    assert "1,000 classes: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, …" in many


def test_names_in_the_heading_are_text_not_markup_and_short() -> None:
    html = heading(colours("<script>1</script>", "a\u202eb", "x" * 5000), "<i>\x1b[2J")
    assert "<script" not in html
    assert "<i>" not in html
    assert "\\u202e" in html
    assert len(html) < 400
