"""The controls that classify signals with the served network."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np

from resnext.errors import ConfigError, DataError
from resnext.model.signal import SignalInput, noun_of
from resnext.page.classify_view import figure, title_of_image, with_bars
from resnext.page.design_view import error_box
from resnext.page.signal_classifier import SignalAnswer, SignalClassifier
from resnext.page.uploads import Uploads
from resnext.untrusted.text import printable

if TYPE_CHECKING:
    from resnext.model.trained import TrainedNetwork
    from resnext.runtimes.exported import Exported

_MAX_FILES = 16
_MAX_TEXT_CHARS = 20_000
_ENDINGS = {
    "audio": [".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3"],
    "video": [".mp4", ".m4v", ".mov", ".avi", ".webm", ".mkv", ".gif"],
    "series": [".npy", ".npz", ".csv", ".txt"],
    "volume": [".npy", ".npz"],
}
_SEEN = {
    "audio": "waveform and log-mel spectrogram",
    "video": "frames of the clip in the middle",
    "series": "as the network sees it",
    "volume": "slices through the middle",
}


def build_signal_controls(model: TrainedNetwork | Exported, uploads: Uploads) -> None:
    """Add the controls for what a network takes: files, pasted values, or a text.

    Args:
        model: A network for signals.
        uploads: The uploaded files.
    """
    try:
        classifier = SignalClassifier(model)
    except ConfigError as error:
        gr.HTML(error_box(str(error)), elem_classes="rx")
        return
    signal = classifier.signal
    if signal.kind == "text":
        _add_textbox("Text", "Classify", _of_text(classifier))
        return
    if signal.kind == "series":
        several = (
            f", a line for each of {signal.in_channels} channels" if len(signal.mean) > 1 else ""
        )
        label = f"Values{several}, such as 0.1, 0.4, 0.2"
        _add_textbox(label, "Classify the values", _of_values(classifier))
    files = gr.File(
        label=f"Drop up to {_MAX_FILES} {noun_of(signal)} here, or choose files",
        file_count="multiple",
        file_types=_ENDINGS[signal.kind],
        height=170,
        elem_id="signals",
    )
    seen = gr.HTML("", elem_classes="rx", elem_id="seen")
    files.change(
        _of_files(classifier, uploads),
        files,
        seen,
        preprocess=False,  # gradio would open the files; the page refers to them by name
        trigger_mode="always_last",
        api_visibility="private",
    )


def _add_textbox(label: str, button: str, classify: Callable[[str], str]) -> None:
    given = gr.Textbox(label=label, lines=3, max_length=_MAX_TEXT_CHARS, elem_id="given")
    press = gr.Button(button, elem_id="classify-given", variant="primary")
    seen = gr.HTML("", elem_classes="rx", elem_id="seen-given")
    press.click(classify, given, seen, api_visibility="private")


def _of_text(classifier: SignalClassifier) -> Callable[[str], str]:
    def classify(text: str) -> str:
        try:
            answer = classifier.classify_text(text)
        except DataError:
            return error_box("Write a text of at least one character.")
        quoted = f"<blockquote>{escape(printable(text))}</blockquote>"
        return with_bars(quoted, answer.classes, answer.probabilities)

    return classify


def _of_values(classifier: SignalClassifier) -> Callable[[str], str]:
    def classify(text: str) -> str:
        try:
            answer = classifier.classify_values(text)
        except DataError as error:
            return error_box(f"The values cannot be used: {error}")
        return _show("The values", answer, classifier.signal)

    return classify


def _of_files(
    classifier: SignalClassifier, uploads: Uploads
) -> Callable[[list[dict[str, Any]] | None], str]:
    def classify(files: list[dict[str, Any]] | None) -> str:
        parts = []
        if files and len(files) > _MAX_FILES:
            parts.append(
                error_box(
                    f"{len(files)} files were dropped, but at most {_MAX_FILES} are shown at once. "
                    f"Use `resnext predict` for more."
                )
            )
        for number, file in enumerate((files or [])[:_MAX_FILES], start=1):
            data = uploads.read(file["path"])
            title = title_of_image(number, file.get("orig_name"))
            try:
                if data is None:
                    raise DataError("the upload has expired; choose it again")
                parts.append(_show(title, classifier.classify_file(data), classifier.signal))
            except DataError as error:
                parts.append(error_box(f"{title}: {error}"))
        return "".join(parts)

    return classify


def _show(title: str, answer: SignalAnswer, signal: SignalInput) -> str:
    assert answer.picture is not None  # only texts have none
    picture = figure(np.asarray(answer.picture), title, f"{title}: {_SEEN[signal.kind]}")
    return with_bars(picture, answer.classes, answer.probabilities)
