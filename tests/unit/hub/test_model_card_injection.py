"""No text of a run, a card or a caller becomes more than text in the model card."""

import ast
import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
import yaml
from hub_networks import CARD, CIFAR, ODD, made_run, random_network, write_evaluation
from markdown_it import MarkdownIt
from pydantic import BaseModel

from resnext.errors import ConfigError
from resnext.hub.measured import Measured
from resnext.hub.metadata import metadata_of
from resnext.hub.model_card import CardRequest, render_card
from resnext.hub.origin import Origin
from resnext.hub.published import Published, open_source
from resnext.hub.save import save_pretrained
from resnext.hub.usage import usage_of
from resnext.model.card import ModelCard
from resnext.model.signal import SignalInput
from resnext.model.signal_columns import SignalColumns
from resnext.model.text import TextInput
from resnext.runs.config import TrainConfig
from resnext.tasks.kinds import task_kind

MEASURE = task_kind("classification").measure

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "[x](javascript:alert(1))",
    "![x](http://127.0.0.1/x.png)",
    "<http://127.0.0.1/>",
    "http://127.0.0.1/ www.x.test a@x.test",
    "a | b |\n| c | d |",
    "x\n\n# heading\n\n- list\n\n    code\n\n---\nlicense: mit\n---\n",
    "`code` ``` ~~~",
    "x\n```\n<script>alert(1)</script>\n```python\nimport os",
    "\x1b]0;owned\x07\x9b2J \u202e \u2028",
    "[^1]: note [ref]: /x &lt;b&gt; *a* _b_ __c__ ~~d~~ $e$",
    '"); import os; os.system("true"); ("',
    "'); import os; os.system('true'); ('",
    "    indented",
    "1. list",
    "!!python/object/apply:os.system [true]",
    "{{ 7 * 7 }}{% for %}",
    "\\",
    "=1+1",
]


class Shape:
    """What a card consists of, but for its words."""

    def __init__(self, card: str) -> None:
        _, metadata, text = card.split("---\n", 2)
        self.metadata: dict[str, Any] = yaml.safe_load(metadata)
        self.html = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(text)
        self.tags = Counter(re.findall(r"<(/?[a-z0-9]+)", self.html))
        self.links = Counter(re.findall(r"(?:href|src)=\"([^\"]*)", self.html))
        self.code = re.findall(r"```python\n(.*?)\n```\n", text, flags=re.DOTALL)


def assert_same_shape(card: str, honest: str) -> None:
    """Compare a card with an honest one that has the same sections."""
    made, wanted = Shape(card), Shape(honest)
    assert made.tags == wanted.tags
    assert made.links == wanted.links
    assert set(made.metadata) == set(wanted.metadata)
    assert len(made.code) == len(wanted.code)
    for code in made.code:
        allowed = {node.__class__ for text in wanted.code for node in ast.walk(ast.parse(text))}
        assert {node.__class__ for node in ast.walk(ast.parse(code))} <= allowed
    assert all(char == "\n" or char.isprintable() for char in card)


def string_fields(kind: type[BaseModel], place: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Find the fields of free text, also in groups and lists."""
    for name, field in kind.model_fields.items():
        yield from _strings_of(field.annotation, (*place, name))


def _strings_of(annotation: Any, place: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if annotation in (str, Path):
        yield place
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from string_fields(annotation, place)
    elif get_origin(annotation) in (Union, UnionType, tuple):
        for part in get_args(annotation):
            yield from _strings_of(part, place)


def write_hostile(run: Path, text: str) -> None:
    """Put a text into every file of a run from which the card takes words."""
    environment = {"device": text, "dtype": text, "packages": {"resnext": text, "torch": text}}
    (run / "environment.json").write_text(json.dumps(environment), encoding="utf-8")
    write_evaluation(run, 12.5)
    figures = json.loads((run / "evaluation.json").read_text(encoding="utf-8"))
    figures["data"] = {"name": text, "split": text}
    (run / "evaluation.json").write_text(json.dumps(figures), encoding="utf-8")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = made_run(tmp_path_factory.mktemp("run") / "run", weights=Path("start"))
    shutil.copy(folder / "config.yaml", folder / "honest.yaml")
    return folder


def card_with(run: Path, text: str, settings: dict[str, Any] | None = None) -> str:
    """Render the card of a run in which every text is this one.

    Args:
        run: The run.
        text: The text.
        settings: Those of the run in place of its own.
    """
    write_hostile(run, text)
    settings = settings or read_settings(run) | {"recipe": text, "weights": f"x{text}"}
    (run / "config.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    published = open_source(run)
    card = published.card.replace(
        data=text, source=text, licence=text, classes=tuple(f"{text}{n}" for n in range(7))
    )
    request = CardRequest(text, text, True, False)
    return render_card(replace(published, card=card, run=run), request)


def read_settings(run: Path) -> dict[str, Any]:
    settings = yaml.safe_load((run / "honest.yaml").read_text(encoding="utf-8"))
    assert isinstance(settings, dict)
    return settings


def test_the_walk_finds_the_texts_of_the_settings() -> None:
    assert {("data",), ("classes",), ("source",), ("licence",)} <= set(string_fields(ModelCard))
    assert {("recipe",), ("weights",), ("data", "root")} <= set(string_fields(TrainConfig))


@pytest.mark.slow
@pytest.mark.parametrize("text", HOSTILE)
def test_a_run_of_hostile_texts_has_the_card_of_an_honest_one(run: Path, text: str) -> None:
    assert_same_shape(card_with(run, text), card_with(run, "honest"))


# No free text, or only with another data set.
REFUSED = {
    ("runtime", "device"),
    *(("data", name) for name in ("classes", "url", "images")),
    *(("data", f"{name}_column") for name in ("id", "image", "label", "split", "text", "time")),
    ("data", "label_separator"),
    ("loss",),
    ("task",),
}


@pytest.mark.slow
@pytest.mark.parametrize("place", sorted(set(string_fields(TrainConfig))))
def test_no_setting_of_a_run_becomes_markup(place: tuple[str, ...], run: Path) -> None:
    honest = card_with(run, "honest")
    num_tried = 0
    for text in HOSTILE:
        for value in (text, [text]):
            settings = read_settings(run) | {"recipe": "honest"}
            group = settings
            for key in place[:-1]:
                group = group[key]
            group[place[-1]] = value
            try:
                TrainConfig(**settings)
            except ValueError:
                continue  # the setting takes no such value
            num_tried += 1
            assert_same_shape(card_with(run, "honest", settings), honest)
    assert num_tried or place in REFUSED


def text_signal(token: str, **columns: str) -> SignalInput:
    """Return how texts are prepared, with one known token and the names of columns."""
    return SignalInput(
        kind="text",
        size=CARD.image_size_px,
        fit="pad",
        normalise="none",
        mean=(0.0,),
        std=(1.0,),
        text=TextInput(unit="word", lower=True, vocabulary=(token,)),
        columns=SignalColumns(**columns),
    )


@pytest.mark.slow
@pytest.mark.parametrize("place", sorted(set(string_fields(ModelCard)) - {("task",)}))
def test_no_field_of_a_card_becomes_markup(place: tuple[str, ...]) -> None:
    def render(text: str) -> str:
        value: object = (text,) * 7 if place == ("classes",) else text
        if place == ("signal", "text", "vocabulary"):
            value = text_signal(text[:64])
        elif place[:2] == ("signal", "columns"):
            value = text_signal("known", **{place[2]: text})
        card = CARD.replace(source="zoo", licence="Zoo-1.0", metrics={"published_top1_error": 1.0})
        published = Published(ODD, {}, card.replace(**{place[0]: value}))
        return render_card(published, CardRequest("", "owner/name", True, False))

    for text in HOSTILE:
        assert_same_shape(render(text), render("honest"))


@pytest.mark.parametrize("text", HOSTILE)
def test_the_name_of_a_task_is_no_free_text(text: str) -> None:
    with pytest.raises(ConfigError):
        CARD.replace(task=text)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("is_repository", [True, False])
def test_the_examples_hold_names_as_literals(text: str, is_repository: bool) -> None:
    usage = usage_of(Published(ODD, {}, CARD), text, is_repository=is_repository)
    for code in (usage.resnext, usage.timm, usage.torch):
        assert code.isascii()
        literals = [
            node.value
            for node in ast.walk(ast.parse(code))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        assert any(text in literal for literal in literals) or not code
        assert not [n for n in ast.walk(ast.parse(code)) if getattr(n, "id", "") == "os"]


@pytest.mark.parametrize("text", HOSTILE)
def test_the_metadata_are_values_and_nothing_else(text: str) -> None:
    measured = Measured(MEASURE, 1.0, 2.0, text, text, 3, text)
    card = CARD.replace(licence=text, data=text)
    origin = Origin(text, text, text)
    written = metadata_of(Published(CIFAR, {}, card), text, [measured], origin)
    honest = metadata_of(
        Published(CIFAR, {}, card.replace(licence="x", data="x")),
        "x",
        [Measured(MEASURE, 1.0, 2.0, "x", "x", 3, "x")],
        Origin("x", "x", "x"),
    )
    assert set(yaml.safe_load(written)) == set(yaml.safe_load(honest))
    assert not re.search(r"^(---|\.\.\.)", written, flags=re.MULTILINE)
    assert all(char == "\n" or char.isprintable() for char in written)


@pytest.mark.slow
def test_a_whole_folder_is_written_for_hostile_texts(tmp_path: Path) -> None:
    for number, text in enumerate(HOSTILE):
        card = CARD.replace(classes=tuple(f"{text}{n}" for n in range(7)), data=text)
        out = tmp_path / str(number)
        save_pretrained(random_network(CIFAR, card), out, title=text, licence=text)
        assert json.loads((out / "config.json").read_text(encoding="utf-8"))
        front = (out / "README.md").read_text(encoding="utf-8").split("---\n", 2)[1]
        assert yaml.safe_load(front)["license"] == "other"
