"""The tab for designing two networks side by side."""

from __future__ import annotations

from typing import Any, get_args

import gradio as gr

from resnext.errors import ConfigError
from resnext.model.choices import Block, Shortcut
from resnext.model.parts import BlockPart, ShortcutPart, StemPart
from resnext.page.design_view import DesignView, error_box, show, told_box
from resnext.page.same_cost import Question, find, tell
from resnext.page.settings_form import Entered, choices, known_names, named_network

_LETTERS = ("A", "B")
_FIRST = "resnext50_32x4d"
_FIRST_FORMS = ("a", "c")  # the paper's figure 3: the concept next to its implementation
_STEMS = {"imagenet": "ImageNet", "cifar": "CIFAR"}
_FORMS = [
    ("(a) separate paths", "a"),
    ("(b) early concatenation", "b"),
    ("(c) grouped convolution", "c"),
]
_FORM_INFO = (
    "Three equivalent forms of the same block (figure 3 of the paper), with the same weights and "
    "multiply-adds. (a) shows the idea; (c) is the fastest, and the default for training."
)
_NUM_CONTROLS = len(Entered.of(named_network(_FIRST)).values())


def build_design_tab() -> None:
    """Add the tab's controls and event handlers."""
    network = named_network(_FIRST)
    entered = [Entered.of(network.replace(form=form)) for form in _FIRST_FORMS]
    views, table = show(entered)
    controls: list[list[gr.Component]] = []
    outputs: list[gr.Component] = []
    starts: list[gr.Dropdown] = []
    with gr.Row(equal_height=False):
        for number, letter in enumerate(_LETTERS):
            with gr.Column(min_width=300):
                gr.HTML(f"<h2>Network {letter}</h2>", elem_classes="rx")
                starts.append(_start(letter, _FIRST))
                outputs.append(_html(views[number].block, f"drawing-{letter}"))
                controls.append(_controls(letter, entered[number]))
                outputs.append(_html(views[number].details, f"view-{letter}"))
    solver = _solver()
    gr.HTML("<h2>Side by side</h2>", elem_classes="rx")
    outputs.append(_html(table, "architectures"))
    everything = [*controls[0], *controls[1]]
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    gr.on(
        [control.input for control in everything],
        _show,
        everything,
        outputs,
        trigger_mode="always_last",
        **quiet,
    )
    for number, start in enumerate(starts):
        # its `input` event also fires on keyboard focus and would undo all changes
        start.change(_starter(number), [start, *everything], [*controls[number], *outputs], **quiet)
    find_button, answer, *questions = solver
    find_button.click(_solve, [*questions, *everything], [answer, *everything, *outputs], **quiet)


def _html(content: str, name: str) -> gr.HTML:
    return gr.HTML(content, elem_classes="rx", elem_id=name)


def _shown(views: list[DesignView], table: str) -> list[str]:
    """Return the values of the outputs, in order."""
    return [*(html for view in views for html in (view.block, view.details)), table]


def _start(letter: str, name: str) -> gr.Dropdown:
    return gr.Dropdown(
        known_names(),
        value=name,
        label="Start from",
        info="Choose a network or type a name, such as resnext38_16x4d.",
        allow_custom_value=True,
        elem_id=f"start-{letter}",
    )


def _controls(letter: str, entered: Entered) -> list[gr.Component]:
    """Create the controls of one network, in the order of `Entered`."""

    def name(control: str) -> str:
        return f"{control}-{letter}"

    blocks = gr.Textbox(
        entered.blocks, label="Blocks per stage", max_lines=1, elem_id=name("blocks")
    )
    with gr.Row():
        cardinality = _number(entered.cardinality, "Cardinality C", name("cardinality"))
        width = _number(entered.width, "Width d", name("width"))
    form = _radio(_FORMS, entered.form, "Form", name("form"), _FORM_INFO)
    stems = [
        (_STEMS.get(stem, stem), stem) for stem in choices(list(_STEMS), StemPart, entered.stem)
    ]
    stem = _radio(stems, entered.stem, "Stem", name("stem"))
    with gr.Row():
        size = _number(entered.input_size, "Input size, px", name("size"))
        classes = _number(entered.num_classes, "Classes", name("classes"))
    with gr.Accordion("More settings", open=False, elem_id=name("more")):
        kinds = choices(get_args(Block), BlockPart, entered.block)
        block = _radio(kinds, entered.block, "Block", name("block"))
        shortcuts = choices(get_args(Shortcut), ShortcutPart, entered.shortcut)
        shortcut = _radio(shortcuts, entered.shortcut, "Shortcut", name("shortcut"))
        channels = _number(entered.in_channels, "Input channels", name("channels"))
        pre = gr.Checkbox(entered.preactivation, label="Pre-activation", elem_id=name("pre"))
    return [
        *(blocks, cardinality, width, form, block, stem),
        *(size, classes, channels, shortcut, pre),
    ]


def _number(value: float | None, label: str, name: str) -> gr.Number:
    return gr.Number(value, label=label, elem_id=name, min_width=110)


def _radio(choices: list[Any], value: str, label: str, name: str, info: str = "") -> gr.Radio:
    return gr.Radio(
        choices, value=value, label=label, info=info or None, elem_id=name, min_width=140
    )


def _solver() -> list[Any]:
    """Create the controls of the equal-cost solver, its button and its answer."""
    with gr.Accordion("Same cost as …", open=False, elem_id="same-cost"):
        with gr.Row():
            change = _radio(list(_LETTERS), "B", "Change network", "solve-network")
            like = gr.Dropdown(
                ["Network A", "Network B", *known_names()],
                value="Network A",
                label="To cost as much as",
                allow_custom_value=True,
                elem_id="solve-like",
            )
            factor = _number(1, "Times", "solve-factor")
        with gr.Row():
            by = _radio(
                [("parameters", "params"), ("multiply-adds", "macs"), "activations"],
                "params",
                "Counted in",
                "solve-by",
            )
            solve = _radio(["width", "cardinality", "depth"], "width", "By its", "solve-what")
        button = gr.Button("Find it", variant="primary", elem_id="solve")
        answer = _html("", "solved")
    return [button, answer, change, like, factor, by, solve]


def _show(*values: Any) -> list[Any]:
    return _shown(*show(_entered(values)))


def _starter(number: int) -> Any:
    """Return the function that runs when a starting network is chosen."""

    def start(name: str | None, *values: Any) -> list[Any]:
        entered = _entered(values)
        try:
            entered[number] = Entered.of(named_network(name))
        except ConfigError as error:
            views, table = show(entered)
            views[number] = DesignView("", error_box(str(error)))
            return [*(gr.skip() for _ in range(_NUM_CONTROLS)), *_shown(views, table)]
        return [*entered[number].values(), *_shown(*show(entered))]

    return start


def _solve(change: str, like: str | None, factor: float, by: str, what: str, *values: Any) -> Any:
    """Solve for equal cost, and set the network's controls to the result."""
    entered = _entered(values)
    number = _LETTERS.index(change)
    try:
        named = {"Network A": 0, "Network B": 1}.get(like or "")
        other = named_network(like) if named is None else entered[named].network()
        question = Question(other, by, what, factor, entered[number].side_px())
        solution = find(entered[number].network(), question)
    except ConfigError as error:
        return [error_box(str(error)), *(gr.skip() for _ in range(2 * _NUM_CONTROLS + 5))]
    entered[number] = Entered.of(solution.config, question.input_size)
    controls = [value for one in entered for value in one.values()]
    return [told_box(tell(solution, question)), *controls, *_shown(*show(entered))]


def _entered(values: tuple[Any, ...]) -> list[Entered]:
    return [Entered(*values[:_NUM_CONTROLS]), Entered(*values[_NUM_CONTROLS:])]
