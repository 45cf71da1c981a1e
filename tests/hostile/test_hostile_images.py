"""Damaged image files: each decodes within bounds, or is refused in one line."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from counts import Counts
from effort import Effort
from image_bases import BASES
from images import run
from nonempty import nonempty

from resnext.data.decode.image import decode_bytes


@pytest.mark.parametrize("form", BASES)
def test_damaged_images_decode_or_are_refused(
    form: str, effort: Effort, seed: int, record: Callable[[Counts], None]
) -> None:
    record(run(effort.num_files, seed, form))


@pytest.mark.parametrize("form", BASES)
def test_whole_images_decode(form: str) -> None:
    sizes = {(48, 40), (40, 48)}
    assert all(decode_bytes(data).size in sizes for data in nonempty(BASES[form]()))
