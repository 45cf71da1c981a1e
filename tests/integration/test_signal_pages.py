"""The page for signals in headless Chromium: a file, pasted values and a text get their classes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("gradio", reason="the extra `serve` is not installed")
pytest.importorskip("selenium", reason="selenium is not installed")

from made_recordings import AUDIO, VIDEO, sound_file, video_file
from made_signal_networks import SERIES, TEXT, VOLUME, untrained
from page_browser import Page, needs_browser, start_browser

import resnext
from resnext.model.signal import SignalInput
from resnext.weights.own_file import save_weights

pytestmark = [pytest.mark.slow, needs_browser]


@contextmanager
def _page(signal: SignalInput, folder: Path) -> Iterator[Page]:
    network, file = untrained(signal), folder / "network.safetensors"
    save_weights(file, network.module, network.config, network.card)
    script = Path(__file__).parents[1] / "support/page_server.py"
    command = [sys.executable, str(script), str(file), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        driver = start_browser()
        try:
            page = Page(driver, f"http://127.0.0.1:{port}/page/")
            page.load()
            yield page
            assert page.nameless() == []
            assert page.requested_hosts() == {"127.0.0.1"}
        finally:
            driver.quit()
            server.terminate()


@pytest.fixture
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a file for a kind of signal."""
    if request.param == "audio":
        (tmp_path / "a.wav").write_bytes(sound_file())
        return tmp_path / "a.wav"
    if request.param == "video":
        (tmp_path / "a.mp4").write_bytes(video_file(tmp_path))
        return tmp_path / "a.mp4"
    np.save(tmp_path / "a.npy", np.zeros((2, 6, 6, 6), np.uint8))
    return tmp_path / "a.npy"


@pytest.mark.parametrize(
    ("file", "signal"), [("audio", AUDIO), ("video", VIDEO), ("volume", VOLUME)], indirect=["file"]
)
def test_a_file_is_drawn_and_classified_and_a_bad_one_named(
    file: Path, signal: SignalInput, tmp_path: Path
) -> None:
    given = np.load(file) if file.suffix == ".npy" else file
    share = resnext.predict(untrained(signal), given)[0].probability
    bad = tmp_path / f"bad{file.suffix}"
    bad.write_bytes(b"something else")
    with _page(signal, tmp_path) as page:
        page.one("#signals input[type=file]").send_keys(f"{file}\n{bad}")
        page.shows("#seen .answers", f"{100 * share:.1f} %")
        assert page.driver.execute_script(
            "return document.querySelector('#seen figure img').naturalWidth > 0"
        )
        page.shows("#seen .problem", bad.name)


@pytest.mark.parametrize(
    ("signal", "written"), [(SERIES, "1, 2, 5\n"), (TEXT, "a good\nfilm")], ids=["series", "text"]
)
def test_what_is_written_is_classified(signal: SignalInput, written: str, tmp_path: Path) -> None:
    given = written if signal is TEXT else np.array([1.0, 2.0, 5.0])
    share = resnext.predict(untrained(signal), given)[0].probability
    with _page(signal, tmp_path) as page:
        page.one("#given textarea").send_keys(written)
        page.press("classify-given")
        page.shows("#seen-given .answers", f"{100 * share:.1f} %")
