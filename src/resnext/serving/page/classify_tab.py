"""The tab that classifies images with the served network."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

import gradio as gr

from resnext.errors import ConfigError, DataError
from resnext.serving.page.classifier import TOP, Classifier
from resnext.serving.page.classify_view import show_answer
from resnext.serving.page.design_view import error_box, told_box

if TYPE_CHECKING:
    from resnext.evaluation.loaded import Loaded
    from resnext.runtimes import Exported

_MOST_IMAGES = 16
_RANKS = ("best class", "second", "third", "fourth", "fifth")
_NO_MAP = "none"


def build_classify_tab(model: Loaded | Exported | None) -> None:
    """Add the tab's controls, or why it has none."""
    if model is None:
        gr.HTML(
            told_box("No network is served. Start one with: resnext serve MODEL"),
            elem_classes="rx",
        )
        return
    try:
        classifier = Classifier(model)
    except ConfigError as error:
        gr.HTML(error_box(str(error)), elem_classes="rx")
        return
    classifier.warm_up()
    files = gr.File(
        label=f"Drop up to {_MOST_IMAGES} images here, or choose files",
        file_count="multiple",
        file_types=["image"],
        type="binary",
        height=170,
        elem_id="images",
    )
    files.async_move_resource_to_block_cache = _refuse_addresses(files)
    ranks = list(_RANKS[: min(TOP, classifier.num_classes)])
    which = gr.Radio(
        [*ranks, _NO_MAP],
        value=ranks[0] if classifier.no_heat is None else _NO_MAP,
        label="Heat map of",
        visible=classifier.no_heat is None,
        elem_id="heat-of",
    )
    if classifier.no_heat is not None:
        gr.HTML(told_box(classifier.no_heat), elem_classes="rx", elem_id="no-heat")
    seen = gr.HTML("", elem_classes="rx", elem_id="seen")
    gr.on(
        [files.change, which.input],
        _classify(classifier),
        [files, which],
        seen,
        trigger_mode="always_last",
        api_visibility="private",
    )


def _classify(classifier: Classifier) -> Callable[[list[bytes] | None, str], str]:
    """Return what happens when images are dropped."""

    def classify(images: list[bytes] | None, which: str) -> str:
        if not images:
            return ""
        explain = _RANKS.index(which) if which in _RANKS else None
        parts = []
        if len(images) > _MOST_IMAGES:
            parts.append(
                error_box(
                    f"{len(images)} images are more than {_MOST_IMAGES} at once; the first "
                    f"{_MOST_IMAGES} are shown. For many there is `resnext predict`."
                )
            )
        for number, data in enumerate(images[:_MOST_IMAGES], start=1):
            try:
                parts.append(
                    show_answer(number, classifier.classify(data, explain=explain), explain)
                )
            except DataError as error:
                parts.append(error_box(f"Image {number}: {error}"))
        return "".join(parts)

    return classify


def _refuse_addresses(files: gr.File) -> Callable[[Any], Any]:
    """Take uploads only: gradio would fetch an address that a caller gives as a file."""
    take = files.async_move_resource_to_block_cache

    async def take_upload(path: Any) -> Any:
        if "://" in str(path):
            _refuse()
        return await take(path)

    return take_upload


def _refuse() -> NoReturn:
    raise gr.Error("Send the image itself; addresses are not fetched.", print_exception=False)
