"""The page on file formats names the fields and columns that the program writes."""

import re
from pathlib import Path

import pytest
from stored_studies import rows_of, stored_study

from resnext.data.shards.layout import FORMAT as SHARDS
from resnext.data.shards.layout import VERSION, Index
from resnext.data.shards.table import ROW
from resnext.model.card import ModelCard
from resnext.runtimes.spec import ExportSpec
from resnext.studies.analysis.export_rows import trial_row
from resnext.weights.own_file import FORMAT as WEIGHTS

PAGE = (Path(__file__).parents[2] / "docs/file-formats.md").read_text(encoding="utf-8")
CODE = re.compile(r"`([^`]+)`")


def section(title: str) -> str:
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize(
    ("title", "names"),
    [
        ("Weight files", {WEIGHTS, *ModelCard.model_fields}),
        ("Exported files", set(ExportSpec.model_fields)),
        ("Packed sets", {SHARDS, *(Index.model_fields.keys() - {"splits"}), *(ROW.names or ())}),
    ],
)
def test_a_section_names_every_field(title: str, names: set[str]) -> None:
    assert names - set(CODE.findall(section(title))) == set()


def test_the_version_and_row_size_of_packed_sets_are_current() -> None:
    assert f"`version` ({VERSION})" in section("Packed sets")
    assert f"one row of {ROW.itemsize} bytes" in " ".join(section("Packed sets").split())


def test_the_columns_of_results_are_those_of_the_program() -> None:
    study = stored_study("table3-fashion-mnist")
    columns = list(trial_row(study, rows_of("table3-fashion-mnist", study)[0]))
    table = section("Study folder").split("| columns |")[1]
    first_cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    described = [name for cell in first_cells for name in CODE.findall(cell)]
    assert set(columns) == {name for name in described if not name.endswith("_TEST")}
