"""What the page shows of signals: a picture as in reports, and the answer of `predict`."""

from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("gradio", reason="the extra `serve` is not installed")

import gradio as gr
from made_recordings import AUDIO, VIDEO, sound_file, video_file
from made_signal_networks import SERIES, TEXT, VOLUME, untrained

import resnext
from resnext.errors import DataError
from resnext.model.signal import SignalInput
from resnext.page import build_page
from resnext.page.calls import CallError, read_call
from resnext.page.signal_classifier import SignalClassifier, read_values
from resnext.page.signal_tab import _of_text, _of_values


def _npy(array: object) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asarray(array))
    return file.getvalue()


def test_a_clip_of_audio_has_a_waveform_above_a_spectrogram() -> None:
    network, data = untrained(AUDIO), sound_file()
    answer = SignalClassifier(network).classify_file(data)
    wanted = resnext.predict(network, data)[0]
    assert (answer.classes[0], answer.probabilities[0]) == (wanted.label, wanted.probability)
    assert answer.picture is not None
    pixels = np.asarray(answer.picture.convert("L"))
    assert pixels.shape == (192, 288)
    dark_rows = (pixels[64:] < 60).mean(axis=1)  # a tone of 300 Hz is a low line of its own
    assert dark_rows.argmax() > 100


def test_a_video_shows_four_frames_and_a_volume_three_slices(tmp_path: Path) -> None:
    pytest.importorskip("av")
    network, data = untrained(VIDEO), video_file(tmp_path)
    answer = SignalClassifier(network).classify_file(data)
    assert answer.probabilities[0] == resnext.predict(network, data)[0].probability
    assert answer.picture is not None
    assert answer.picture.size == (32, 32)
    volume = np.zeros((2, 6, 6, 6), np.uint8)
    slices = SignalClassifier(untrained(VOLUME)).classify_file(_npy(volume)).picture
    assert slices is not None
    assert slices.size == (288, 96)


def test_pasted_values_and_files_of_a_series_get_one_answer() -> None:
    classifier, values = SignalClassifier(untrained(SERIES)), [0.5, -1.0, 2.0, 0.25]
    by_file = classifier.classify_file(_npy(values))
    for text in ("0.5, -1, 2, .25", "0.5\n-1\n2\n0.25\n", "0.5 -1 2 25e-2", "0.5;-1;2;0.25"):
        assert classifier.classify_values(text).probabilities == by_file.probabilities
        assert classifier.classify_file(text.encode()).probabilities == by_file.probabilities
    assert read_values("1,?,3\n4,,6") == [[1.0, None, 3.0], [4.0, None, 6.0]]
    for wrong, reason in (
        ("a, b", "not a number"),
        (" \n", "there is no value"),
        ("1,2\n3,4", "takes"),
    ):
        with pytest.raises(DataError, match=reason):
            classifier.classify_values(wrong)
    assert "cannot be used" in _of_values(classifier)("one, two")


def test_a_text_is_shown_as_it_was_written_and_never_as_markup() -> None:
    network = untrained(TEXT)
    shown = _of_text(SignalClassifier(network))("good <b>film</b>")
    assert "good &lt;b&gt;film&lt;/b&gt;" in shown
    share = resnext.predict(network, "good <b>film</b>")[0].probability
    assert f"{100 * share:.1f} %" in shown
    assert "at least one character" in _of_text(SignalClassifier(network))("  ")


@pytest.mark.parametrize(
    "data", [b"", b"no sound", sound_file()[:100], _npy([1.0]), b"\x93NUMPY", b"PK\x03\x04"]
)
@pytest.mark.parametrize("signal", [AUDIO, VIDEO, VOLUME], ids=lambda one: one.kind)
def test_files_of_something_else_have_one_reason(data: bytes, signal: SignalInput) -> None:
    with pytest.raises(DataError):
        SignalClassifier(untrained(signal)).classify_file(data)


async def _built(signal: SignalInput) -> gr.Blocks:
    return build_page(model=untrained(signal), runs=None)


def test_a_text_of_several_lines_passes_the_guard_within_its_length() -> None:
    page = asyncio.run(_built(TEXT))
    (number,) = (
        number
        for number, function in page.fns.items()
        if [getattr(block, "elem_id", "") for block in function.inputs] == ["given"]
    )

    def call(value: str) -> bytes:
        values = {"session_hash": "a", "fn_index": number, "data": [value]}
        return json.dumps(values).encode()

    assert b"two" in read_call(call("one\ntwo " + "x" * 10_000), page, page.uploads).body
    for wrong in ("x" * 20_001, "a\x00b", "\x1b[2J"):
        with pytest.raises(CallError):
            read_call(call(wrong), page, page.uploads)
