from __future__ import annotations

import logging

import pytest

from resnext.data.bad_files import BadFiles
from resnext.errors import DataError


def test_each_bad_file_is_logged_once_by_name(caplog: pytest.LogCaptureFixture) -> None:
    bad = BadFiles(1000)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            bad.record("cat/1.jpg", "truncated")
        bad.record("dog/2.jpg", "empty")
    assert [record.getMessage() for record in caplog.records] == [
        "bad file cat/1.jpg: truncated",
        "bad file dog/2.jpg: empty",
    ]
    assert bad.rows == [
        {"path": "cat/1.jpg", "reason": "truncated"},
        {"path": "dog/2.jpg", "reason": "empty"},
    ]


@pytest.mark.parametrize(
    ("num_files", "tolerated"), [(1, 1), (50, 1), (199, 1), (200, 2), (1000, 10)]
)
def test_one_per_cent_is_tolerated_and_always_one(num_files: int, tolerated: int) -> None:
    bad = BadFiles(num_files)
    for number in range(tolerated):
        bad.record(f"{number}.jpg", "torn")
    with pytest.raises(DataError, match=f"{tolerated + 1} of {num_files} files are bad"):
        bad.record("last.jpg", "torn")


def test_the_stop_lists_the_files_and_their_reasons() -> None:
    bad = BadFiles(3000)
    for number in range(30):
        bad.record(f"{number:03}.jpg", "torn")
    with pytest.raises(DataError) as caught:
        bad.record("030.jpg", "torn")
    lines = str(caught.value).splitlines()
    assert lines[1] == "  000.jpg: torn"
    assert lines[-1] == "  ... and 11 more"
