"""What the cells of a table mean: a class, several labels, or numbers."""

from typing import Any

import pytest
import torch

from resnext.data.sets.table.targets import (
    TargetRule,
    Targets,
    find_separator,
    flag_fault,
    split_cell,
    target_cells,
)
from resnext.errors import DataError


def read(columns: dict[str, list[str]], rule: TargetRule | None = None) -> Targets:
    cells = target_cells(columns, rule or TargetRule())
    num = len(next(iter(columns.values())))
    return cells.targets([row for row in range(num) if not cells.fault(row)])


@pytest.mark.parametrize(
    ("cells", "separator"),
    [
        (["cat|dog", "cat", "dog|cow|cat"], "|"),
        (["cat; dog", "cat", "dog"], ";"),
        (["cat, dog", "cat", "dog"], ","),
        (["cat", "dog"], None),
        (["Smith, John", "Miller, Ann"], None),
        (["golden retriever", "poodle"], None),
        (["", ""], None),
    ],
)
def test_a_separator_is_one_where_labels_recur(cells: list[str], separator: str | None) -> None:
    assert find_separator(cells) == separator


@pytest.mark.parametrize(
    ("cell", "separator", "labels"),
    [
        ("cat| dog ", "|", ["cat", "dog"]),
        ("cat cat dog", " ", ["cat", "dog"]),
        ("['cat', 'dog']", None, ["cat", "dog"]),
        ("none", "|", []),
        ("[]", None, []),
        ("cat|", "|", ["cat"]),
    ],
)
def test_a_cell_is_taken_apart(cell: str, separator: str | None, labels: list[str]) -> None:
    assert split_cell(cell, separator) == labels


def test_cells_list_labels() -> None:
    found = read({"labels": ["cat|dog", "cat", "", "none", "dog|cow"]})
    assert (found.kind, found.classes) == ("labels", ("cat", "cow", "dog"))
    assert found.targets_n.tolist() == [[1, 0, 1], [1, 0, 0], [0, 0, 0], [0, 1, 1]]
    assert found.targets_n.dtype == torch.int8


def test_a_column_in_which_no_label_applies_is_refused() -> None:
    with pytest.raises(DataError, match="contains no labels, so there is nothing to learn"):
        read({"labels": ["none", "[]"]}, TargetRule(kind="labels"))


def test_one_label_a_cell_is_a_class_unless_it_is_said_to_be_several() -> None:
    columns = {"label": ["cat", "dog", "cat"]}
    assert read(columns).targets_n.tolist() == [0, 1, 0]
    found = read(columns, TargetRule(kind="labels"))
    assert (found.kind, found.targets_n.tolist()) == ("labels", [[1, 0], [0, 1], [1, 0]])
    spaced = read({"tags": ["haze primary", "primary"]}, TargetRule(separator=" "))
    assert (spaced.kind, spaced.classes) == ("labels", ("haze", "primary"))


def test_a_column_for_each_label_may_have_empty_cells() -> None:
    found = read({"red": ["1", "0", "", "1.0"], "round": ["True", "no", "1", "-1"]})
    assert (found.kind, found.classes) == ("labels", ("red", "round"))
    assert found.targets_n.tolist() == [[1, 1], [0, 0], [-1, 1], [1, -1]]


def test_columns_of_which_exactly_one_holds_1_are_classes() -> None:
    columns = {"cat": ["1", "0", "0"], "dog": ["0", "1", "1"]}
    found = read(columns)
    assert (found.kind, found.targets_n.tolist()) == ("class", [0, 1, 1])
    assert read(columns, TargetRule(kind="labels")).kind == "labels"


def test_rows_that_cannot_be_used_say_why() -> None:
    flags = target_cells({"red": ["maybe", "", "1"], "round": ["0", "", "1"]})
    assert [flags.fault(row) for row in range(3)] == [
        "'red' is 'maybe', neither 1, 0 nor empty",
        "has no label",
        "",
    ]
    exclusive = target_cells({"a": ["1", "1"], "b": ["1", "0"]}, TargetRule(kind="class"))
    assert [exclusive.fault(row) for row in range(2)] == ["does not have exactly one class", ""]
    numbers = target_cells({"age": ["old", "", "3"]}, TargetRule(kind="number"))
    assert [numbers.fault(row) for row in range(3)] == [
        "'age' is 'old', which is not a number",
        "has no number",
        "",
    ]


def test_numbers_are_read_and_missing_ones_are_nan() -> None:
    found = read({"age": ["3", "4.5"], "weight": ["", "1e2"]}, TargetRule(kind="number"))
    assert (found.kind, found.classes) == ("number", ("age", "weight"))
    expected: list[list[Any]] = [[3.0, pytest.approx(float("nan"), nan_ok=True)], [4.5, 100.0]]
    assert found.targets_n.tolist() == expected


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        (["1", "0", ""], ""),
        (["0", "0"], None),
        (["1", "2"], None),
        (["Male", "Female"], None),
        ([*"0110100", "X"], "the cell in row 8 is 'X', neither 1, 0 nor empty"),
        ([*"01012101"], "the cell in row 5 is '2', neither 1, 0 nor empty"),
        ([*"01201201"], None),  # of three classes
        ([*"0000000", "x"], None),
    ],
)
def test_columns_of_ones_and_zeros_are_labels(cells: list[str], fault: str | None) -> None:
    assert flag_fault(cells) == fault
