"""The tab that classifies images with the served network."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import gradio as gr

from resnext.errors import ConfigError, DataError
from resnext.page.classifier import TOP, Classifier
from resnext.page.classify_view import show_answer, title_of_image
from resnext.page.design_view import error_box, told_box
from resnext.page.mask_view import OPACITY, SET_OPACITY, show_mask
from resnext.page.object_view import show_objects
from resnext.page.signal_tab import build_signal_controls
from resnext.page.uploads import Uploads

if TYPE_CHECKING:
    from resnext.model.trained import TrainedNetwork
    from resnext.runtimes.exported import Exported

_MAX_IMAGES = 16
_RANKS = ("best class", "second", "third", "fourth", "fifth")
_NO_MAP = "none"


def build_classify_tab(model: TrainedNetwork | Exported | None, uploads: Uploads) -> None:
    """Add the tab's controls, or a message that says why it has none.

    Args:
        model: The network.
        uploads: The uploaded images.
    """
    if model is None:
        gr.HTML(
            told_box("No network is served. Start one with: resnext serve MODEL"),
            elem_classes="rx",
        )
        return
    if model.card.signal is not None:
        build_signal_controls(model, uploads)
        return
    try:
        classifier = Classifier(model)
    except ConfigError as error:
        gr.HTML(error_box(str(error)), elem_classes="rx")
        return
    classifier.warm_up()
    files = gr.File(
        label=f"Drop up to {_MAX_IMAGES} images here, or choose files",
        file_count="multiple",
        file_types=["image"],
        height=170,
        elem_id="images",
    )
    ranks = list(_RANKS[: min(TOP, classifier.num_classes)])
    which = gr.Radio(
        [*ranks, _NO_MAP],
        value=ranks[0] if classifier.no_heat is None else _NO_MAP,
        label="Heat map of",
        visible=classifier.no_heat is None,
        elem_id="heat-of",
    )
    has_heat = not (classifier.is_dense or classifier.finds_objects)
    if classifier.no_heat is not None and has_heat:
        gr.HTML(told_box(classifier.no_heat), elem_classes="rx", elem_id="no-heat")
    if classifier.is_dense:
        opacity = gr.Slider(
            0, 100, value=OPACITY, step=5, label="Opacity of the mask, %", elem_id="opacity"
        )
        opacity.input(None, opacity, None, js=SET_OPACITY, api_visibility="private")
    seen = gr.HTML("", elem_classes="rx", elem_id="seen")
    gr.on(
        [files.change, which.input],
        _classify(classifier, uploads),
        [files, which],
        seen,
        preprocess=False,  # gradio would open the files; the page refers to them by name
        trigger_mode="always_last",
        api_visibility="private",
    )


def _classify(
    classifier: Classifier, uploads: Uploads
) -> Callable[[list[dict[str, Any]] | None, str], str]:
    """Return the function that runs when images are dropped."""

    def classify(files: list[dict[str, Any]] | None, which: str) -> str:
        if not files:
            return ""
        explain = _RANKS.index(which) if which in _RANKS else None
        parts = []
        if len(files) > _MAX_IMAGES:
            parts.append(
                error_box(
                    f"{len(files)} images were dropped, but at most {_MAX_IMAGES} are shown at "
                    f"once. Use `resnext predict` for more."
                )
            )
        for number, file in enumerate(files[:_MAX_IMAGES], start=1):
            data = uploads.read(file["path"])
            title = title_of_image(number, file.get("orig_name"))
            try:
                if data is None:
                    raise DataError("the upload has expired; choose it again")
                if classifier.is_dense:
                    parts.append(show_mask(title, *classifier.segment(data)))
                elif classifier.finds_objects:
                    parts.append(show_objects(title, *classifier.find(data)))
                else:
                    answer = classifier.classify(data, explain=explain)
                    parts.append(show_answer(title, answer, explain))
            except DataError as error:
                parts.append(error_box(f"{title}: {error}"))
        return "".join(parts)

    return classify
