"""The files of the small data sets, as a mirror sends them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from raw_server import answer_with

from resnext.data.sets import download
from resnext.data.sets.download import fetch_official
from resnext.errors import DownloadError


def test_what_the_mirror_sends_is_bounded_and_compared_with_the_published_sum(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = b"official"
    md5 = hashlib.md5(content).hexdigest()
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n"
    with answer_with(answer + content) as server:
        (tmp_path / "x").write_bytes(b"torn")
        fetch_official(server.address, tmp_path / "x", md5)
        assert (tmp_path / "x").read_bytes() == content
        fetch_official(server.address, tmp_path / "x", md5)
        assert len(server.requests) == 1
    with (
        answer_with(answer + b"attacker") as server,
        pytest.raises(DownloadError, match="not the published file"),
    ):
        fetch_official(server.address, tmp_path / "y", md5)
    monkeypatch.setattr(download, "_MAX_OFFICIAL_BYTES", 7)
    with (
        answer_with(answer + content) as server,
        pytest.raises(DownloadError, match="expected 7 bytes"),
    ):
        fetch_official(server.address, tmp_path / "y", md5)
    assert not (tmp_path / "y").exists()
