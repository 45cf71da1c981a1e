"""Tables of counts stay readable at the width of any terminal."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console
from rich.table import Table

from resnext.cli.fitting_table import count_text, print_fitting


def printed(width: int) -> str:
    def build(is_full: bool) -> Table:
        table = Table("network", "# params.")
        table.add_row("resnet50", count_text(25_557_032, is_full=is_full))
        return table

    file = io.StringIO()
    print_fitting(Console(file=file, width=width), build)
    return file.getvalue()


@pytest.mark.parametrize(
    ("width", "number"), [(80, "25,557,032"), (25, "25,557,032"), (24, "25.6 M")]
)
def test_a_count_is_exact_where_it_has_room_and_short_where_not(width: int, number: str) -> None:
    assert re.search(rf"resnet50 +. {re.escape(number)}", printed(width))


def test_no_digit_is_cut_off() -> None:
    assert "…" not in "".join(printed(width) for width in range(24, 81))
