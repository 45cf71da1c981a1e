"""Small sets of texts with two classes that a tiny network can tell apart."""

from __future__ import annotations

from pathlib import Path

PLACES = ("paris", "rome", "oslo", "lima", "cairo")
PEOPLE = ("anna", "bob", "carl", "dora", "emil")


def question(number: int) -> tuple[str, str]:
    """Return a text and its class; even numbers ask for a place, odd ones for a person."""
    place, person = PLACES[number // 2 % 5], PEOPLE[number // 10 % 5]
    more = " ".join(["please"] * (number % 4))
    if number % 2:
        return f"Who is {person}, the friend from {place}? {more}".strip(), "person"
    return f"Where is {place}, the home of {person}? {more}".strip(), "place"


def write_questions(folder: Path, num_train: int = 40, num_test: int = 20) -> Path:
    """Write train.tsv and test.tsv, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    first = 0
    for name, num in (("train", num_train), ("test", num_test)):
        rows = ["\t".join(question(number)) for number in range(first, first + num)]
        lines = ["sentence\tlabel", *rows, ""]
        (folder / f"{name}.tsv").write_text("\n".join(lines), encoding="utf-8")
        first += num
    return folder
