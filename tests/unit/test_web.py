"""Downloads from a hostile server: bounded in bytes, in time and in where they lead."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from raw_server import Answer, answer_with

from resnext import web
from resnext.errors import DownloadError
from resnext.partial_file import OversizeError, Patience, open_partial
from resnext.web import MAX_REDIRECTS, fetch_http

QUICK = Patience(attempts=2, pause_s=0.0, timeout_s=5.0)
HASTY = Patience(attempts=2, pause_s=0.0, timeout_s=5.0, window_s=0.2, min_bytes_per_s=1e6)
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
MAX_BYTES = 100_000


@pytest.fixture
def partial(tmp_path: Path) -> Path:
    return tmp_path / "file.partial"


def fetch(address: str, partial: Path, patience: Patience = QUICK) -> None:
    fetch_http(address, partial, patience, max_bytes=MAX_BYTES)


def redirect(target: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n".encode()


def whole(content: bytes) -> bytes:
    return OK + f"Content-Length: {len(content)}\r\n\r\n".encode() + content


def test_an_honest_answer_arrives(partial: Path) -> None:
    with answer_with(whole(b"content")) as server:
        fetch(server.address, partial)
    assert partial.read_bytes() == b"content"


@pytest.mark.parametrize(
    "answer",
    [
        Answer(OK + b"\r\n", b"x" * 50_000),  # without a length
        Answer(CHUNKED, b"c350\r\n" + b"x" * 50_000 + b"\r\n"),
        Answer(CHUNKED + b"-5\r\n", b"x" * 50_000),
        OK + b"Content-Length: 100001\r\n\r\n",
        Answer(OK + b"Content-Length: 999999999999\r\n\r\n", b"x" * 50_000),
    ],
    ids=["endless", "endless chunks", "negative chunk", "announced", "announced and endless"],
)
def test_more_than_the_file_may_have_is_never_written(
    partial: Path, answer: Answer | bytes
) -> None:
    with answer_with(answer) as server, pytest.raises(OversizeError, match="100,000 bytes"):
        fetch(server.address, partial)
    assert not partial.exists() or partial.stat().st_size <= MAX_BYTES
    assert len(server.requests) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "answer",
    [
        Answer(OK + b"\r\n", b"x", 0.01),
        Answer(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.01),
        Answer(OK, b"X", 0.01),
        Answer(CHUNKED + b"1\r\nx\r\n0\r\n", b"Trailer: x\r\n", 0.01),
        Answer(CHUNKED, b"1\r\nx\r\n", 0.01),
    ],
    ids=["byte by byte", "interim answers", "header", "trailers", "chunk by chunk"],
)
def test_a_server_that_sends_too_little_for_ever_is_given_up(partial: Path, answer: Answer) -> None:
    with (
        answer_with(answer) as server,
        pytest.raises(DownloadError, match=r"less than 1e\+06 bytes a second; tried 2 times"),
    ):
        fetch(server.address, partial, HASTY)


def test_a_large_file_is_not_slow(partial: Path) -> None:
    patience = Patience(attempts=1, window_s=0.05, min_bytes_per_s=1.0)
    piece = Answer(OK + b"Content-Length: 60\r\n\r\n", b"x" * 10, 0.03)
    with answer_with(piece) as server:
        fetch(server.address, partial, patience)
    assert partial.stat().st_size == 60


@pytest.mark.parametrize("size", ["-1", "abc", "1_0", "+5", "9" * 30, "0x10", ""])
def test_a_size_that_is_no_number_is_refused(partial: Path, size: str) -> None:
    answer = OK + f"Content-Length: {size}\r\n\r\nxxxxxxxxxx".encode()
    with answer_with(answer) as server, pytest.raises(DownloadError, match="an invalid size"):
        fetch(server.address, partial)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Content-Range: bytes 0-9/10",
        "Content-Range: bytes 6-9/10",
        "Content-Range: bytes -5-9/10",
        "Content-Range: bytes x",
    ],
)
def test_another_part_than_asked_for_is_not_appended(partial: Path, header: str) -> None:
    partial.write_bytes(b"01234")
    answer = f"HTTP/1.1 206 Partial\r\n{header}\r\nContent-Length: 5\r\n\r\n56789".encode()
    with answer_with(answer, whole(b"0123456789")) as server:
        fetch(server.address, partial)
    assert partial.read_bytes() == b"0123456789"
    assert b"Range: bytes=5-" in server.requests[0]
    assert b"Range" not in server.requests[1]


def test_the_part_asked_for_is_appended(partial: Path) -> None:
    partial.write_bytes(b"01234")
    answer = b"HTTP/1.1 206 P\r\nContent-Range: bytes 5-9/10\r\nContent-Length: 5\r\n\r\n56789"
    with answer_with(answer) as server:
        fetch(server.address, partial)
    assert partial.read_bytes() == b"0123456789"


def test_a_part_that_is_longer_than_the_file_may_be_is_dropped(partial: Path) -> None:
    partial.write_bytes(b"x" * (MAX_BYTES + 1))
    with answer_with(whole(b"new")) as server:
        fetch(server.address, partial)
    assert partial.read_bytes() == b"new"


@pytest.mark.parametrize(
    "target",
    [
        "ftp://127.0.0.1/x",
        "file:///etc/passwd",
        "data:text/plain,x",
        "javascript:x",
        "http://user:secret@127.0.0.1/x",
        "http://[broken",
        "",
    ],
)
def test_a_redirect_anywhere_but_to_the_web_is_refused(partial: Path, target: str) -> None:
    with (
        answer_with(redirect(target)) as server,
        pytest.raises(DownloadError, match="only web addresses are followed"),
    ):
        fetch(server.address, partial)
    assert not partial.exists()


def test_a_redirect_is_followed_within_the_web_and_never_without_end(partial: Path) -> None:
    with answer_with(redirect("/other"), whole(b"content")) as server:
        fetch(server.address, partial)
    assert partial.read_bytes() == b"content"
    assert server.requests[1].startswith(b"GET /other ")
    with (
        answer_with(Answer(redirect("/again"), b"x" * 1000)) as server,
        pytest.raises(DownloadError, match="redirects more than"),
    ):
        fetch(server.address, partial)
    assert len(server.requests) == MAX_REDIRECTS + 1


def test_encryption_is_not_given_up_by_a_redirect() -> None:
    follow = web._redirected
    assert follow("https://a", "https://a/x", "https://b/y") == "https://b/y"
    assert follow("http://a", "http://a/x", "https://b/y") == "https://b/y"
    with pytest.raises(DownloadError, match="never from https to http"):
        follow("https://a", "https://a/x", "http://a/y")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            OK + b"Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",
            "unrequested encoding 'gzip'",
        ),
        (b"HTTP/1.1 204 Nothing\r\n\r\n", "responded with 204"),
        (b"HTTP/1.1 404 \x1b[2Jgone\r\n\r\n", r"404 \\x1b\[2Jgone"),
        (b"no web server at all\r\n", "tried 2 times"),
        (b"HTTP/1.1 abc OK\r\n\r\n", "tried 2 times"),
        (b"", "tried 2 times"),
        (OK + b"X: y\r\n" * 200 + b"\r\n", "tried 2 times"),
        (OK + b"X" * 100_000 + b"\r\n\r\n", "tried 2 times"),
        (CHUNKED + b"zz\r\n", "tried 2 times"),
        (CHUNKED + b"5\r\nab", "tried 2 times"),
        (OK + b"Content-Length: 5\r\n\r\nab", "ended after 2 of 5 bytes"),
    ],
)
def test_an_answer_that_makes_no_sense_is_one_message(
    partial: Path, answer: bytes, message: str
) -> None:
    with answer_with(answer) as server, pytest.raises(DownloadError, match=message) as caught:
        fetch(server.address, partial)
    assert str(caught.value).isprintable()
    assert server.address in str(caught.value)


@pytest.mark.parametrize(
    "address", ["ftp://127.0.0.1/x", "file:///etc/passwd", "x", "http://127.0.0.1:x/", "http:///x"]
)
def test_only_web_addresses_are_fetched(partial: Path, address: str) -> None:
    with pytest.raises(DownloadError):
        fetch(address, partial)
    assert not partial.exists()


def test_a_link_in_place_of_a_part_is_not_written_through(partial: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(b"mine")
    partial.symlink_to(precious)
    with answer_with(whole(b"content")) as server, pytest.raises(OSError, match="symbolic link"):
        fetch(server.address, partial)
    with pytest.raises(OSError, match="symbolic link"):
        open_partial(partial)
    assert precious.read_bytes() == b"mine"


def test_progress_says_what_has_come(partial: Path) -> None:
    told: list[tuple[int, int | None]] = []
    with answer_with(whole(b"x" * 1000)) as server:
        fetch_http(
            server.address, partial, QUICK, lambda *seen: told.append(seen), max_bytes=MAX_BYTES
        )
    assert told[-1] == (1000, 1000)
    assert all(one[0] < other[0] for one, other in itertools.pairwise(told))
