"""An OpenVINO file is opened only if it holds what `resnext export` writes."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tiny_runtimes import export

from resnext.errors import CheckpointError
from resnext.runtimes.open import open_exported


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(tmp_path_factory.mktemp("whole") / "net.xml", sealed=False)


def swap(pattern: str, replacement: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        changed = re.sub(pattern, replacement, text, count=1)
        assert changed != text
        return changed

    return change


HOSTILE = {
    "layer": (swap('type="ReLU"', 'type="Loop"'), "a layer 'Loop'"),
    "extension": (swap('version="opset1"', 'version="extension"'), "of 'extension'"),
    "graph inside": (swap("</layer>", "<b><layers><layer/></layers></b></layer>"), "1 layers"),
    "padding": (swap('pads_begin="1, ?1"', 'pads_begin="9999999,1"'), "'pads_begin'"),
    "stride": (swap('strides="1, ?1"', 'strides="0,0"'), "'strides' of '0'"),
    "offset": (swap('offset="0"', 'offset="999999999"'), "at 999,999,999"),
    "shape": (swap('shape="4, ?3', 'shape="400000000,3'), "a weight of"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("change", "message"), HOSTILE.values(), ids=HOSTILE)
def test_what_an_export_does_not_hold_is_refused_before_the_runtime_sees_it(
    change: Callable[[str], str],
    message: str,
    whole: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "net.xml").write_text(change(whole.read_text("utf-8")), "utf-8")
    (tmp_path / "net.bin").write_bytes(whole.with_suffix(".bin").read_bytes())
    monkeypatch.setattr(
        "resnext.runtimes.openvino_runtime._core", lambda: pytest.fail("was opened")
    )
    with pytest.raises(CheckpointError, match=rf"net\.xml: refused: .*{message}"):
        open_exported(tmp_path / "net.xml")


@pytest.mark.parametrize(
    "change", [swap(r"<net", '<!DOCTYPE a [<!ENTITY e "x">]><net'), lambda text: "\0" + text]
)
def test_definitions_are_not_expanded(
    change: Callable[[str], str], whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "net.xml").write_text(change(whole.read_text("utf-8")), "utf-8")
    monkeypatch.setattr("xml.etree.ElementTree.fromstring", lambda _: pytest.fail("was parsed"))
    with pytest.raises(CheckpointError, match=r"net\.xml: .*defines its own names"):
        open_exported(tmp_path / "net.xml")


def test_a_file_without_checksum_is_opened(whole: Path) -> None:
    assert open_exported(whole).run(np.zeros((1, 8, 8, 3), np.uint8)).shape == (1, 3)


def test_a_missing_file_of_weights_is_named(whole: Path, tmp_path: Path) -> None:
    (tmp_path / "net.xml").write_bytes(whole.read_bytes())
    with pytest.raises(CheckpointError, match=r"net\.bin: there is no such file"):
        open_exported(tmp_path / "net.xml")
