"""Downloads against a local server that drops connections, stalls in the middle and lies."""

import hashlib
import io
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from resnext import download as downloading
from resnext.download import Checksum
from resnext.errors import DownloadError, LicenceError
from resnext.weights import fetch as fetching
from resnext.weights.entry import WeightsEntry
from resnext.weights.fetch import cached_file, fetch

CONTENT = bytes(range(256)) * 4000
SHA1 = hashlib.sha1(CONTENT).hexdigest()
SHA256 = hashlib.sha256(CONTENT).hexdigest()
download = partial(downloading.download, max_bytes=len(CONTENT))


@dataclass
class Behaviour:
    """What the server does, request after request; the last one repeats."""

    plan: list[str]
    ranges: list[str | None] = field(default_factory=list)

    def next(self) -> str:
        return self.plan.pop(0) if len(self.plan) > 1 else self.plan[0]


@contextmanager
def server(*plan: str) -> Iterator[tuple[str, Behaviour]]:
    behaviour = Behaviour(list(plan))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            behaviour.ranges.append(asked)
            what = behaviour.next()
            if what.isdecimal():
                self.send_error(int(what))
                return
            start = int(asked[6:-1]) if asked and what != "no-range" else 0
            if start >= len(CONTENT):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(CONTENT)}")
                self.end_headers()
                return
            body = CONTENT[start:]
            self.send_response(206 if start else 200)
            if start:
                self.send_header(
                    "Content-Range", f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"
                )
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if what == "drop" else body)

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_port}/weights.pth", behaviour
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def test_a_file_arrives_whole_and_progress_ends_at_its_size(tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    with server("ok") as (address, _):
        path = download(
            address,
            tmp_path / "deep" / "w.pth",
            Checksum("sha256", SHA256[:8]),
            lambda there, total: told.append((there, total)),
        )
    assert path.read_bytes() == CONTENT
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert [there for there, _ in told] == sorted(there for there, _ in told)
    assert not list(path.parent.glob("*.partial"))


def test_a_dropped_connection_is_gone_on_with_from_what_is_there(tmp_path: Path) -> None:
    with server("drop", "drop", "ok") as (address, behaviour):
        path = download(address, tmp_path / "w.pth", Checksum("sha256", SHA256), pause_s=0)
    half = len(CONTENT) // 2
    three_quarters = half + (len(CONTENT) - half) // 2
    assert behaviour.ranges == [None, f"bytes={half}-", f"bytes={three_quarters}-"]
    assert path.read_bytes() == CONTENT


@pytest.mark.slow
def test_a_part_of_an_earlier_try_is_kept_and_used(tmp_path: Path) -> None:
    with server("drop") as (address, _), pytest.raises(DownloadError, match="connection ended"):
        download(address, tmp_path / "w.pth", pause_s=0)
    part = (tmp_path / "w.pth.partial").stat().st_size
    assert 0 < part < len(CONTENT)
    assert not (tmp_path / "w.pth").exists()
    with server("ok") as (address, behaviour):
        download(address, tmp_path / "w.pth", Checksum("sha256", SHA256), pause_s=0)
    assert behaviour.ranges == [f"bytes={part}-"]


def test_a_part_that_is_the_whole_is_not_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "w.pth.partial").write_bytes(CONTENT)
    with server("ok") as (address, _):
        path = download(address, tmp_path / "w.pth", Checksum("sha256", SHA256), pause_s=0)
    assert path.read_bytes() == CONTENT


def test_a_server_without_ranges_begins_anew(tmp_path: Path) -> None:
    (tmp_path / "w.pth.partial").write_bytes(b"something else")
    with server("no-range") as (address, _):
        path = download(address, tmp_path / "w.pth", Checksum("sha256", SHA256), pause_s=0)
    assert path.read_bytes() == CONTENT


@pytest.mark.slow
@pytest.mark.parametrize("status", ["503", "429", "500"])
def test_a_busy_server_is_asked_again(tmp_path: Path, status: str) -> None:
    with server(status, status, "ok") as (address, behaviour):
        path = download(address, tmp_path / "w.pth", pause_s=0)
    assert len(behaviour.ranges) == 3
    assert path.read_bytes() == CONTENT


def test_a_missing_file_is_asked_for_once(tmp_path: Path) -> None:
    with server("404") as (address, behaviour), pytest.raises(DownloadError, match="404"):
        download(address, tmp_path / "w.pth", pause_s=0)
    assert len(behaviour.ranges) == 1


def test_another_file_than_published_is_not_kept(tmp_path: Path) -> None:
    with server("ok") as (address, _), pytest.raises(DownloadError, match="not the published"):
        download(address, tmp_path / "w.pth", Checksum("sha256", "0" * 8), pause_s=0)
    assert {path.name for path in tmp_path.iterdir()} <= {"w.pth.lock"}


def test_two_processes_that_want_the_same_file_fetch_it_once(tmp_path: Path) -> None:
    with server("ok") as (address, behaviour):
        threads = [
            threading.Thread(target=download, args=(address, tmp_path / "w.pth")) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(behaviour.ranges) == 1
    assert (tmp_path / "w.pth").read_bytes() == CONTENT


def entry_at(address: str, **facts: object) -> WeightsEntry:
    values = {"name": "resnext50_32x4d.test", "licence": "MIT", "sha256": SHA256[:8], **facts}
    return WeightsEntry(network="resnext50_32x4d", family="torchvision", address=address, **values)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_an_entry_is_fetched_into_the_cache_once() -> None:
    with server("ok") as (address, behaviour):
        entry = entry_at(address)
        assert fetch(entry) == fetch(entry) == cached_file(entry)
    assert len(behaviour.ranges) == 1
    assert cached_file(entry).read_bytes() == CONTENT


def test_a_non_commercial_licence_must_be_accepted_before_anything_is_fetched() -> None:
    with server("ok") as (address, behaviour):
        entry = entry_at(address, licence="CC-BY-NC-4.0", is_non_commercial=True)
        with pytest.raises(LicenceError, match="--accept-licence"):
            fetch(entry)
        assert not behaviour.ranges
        assert fetch(entry, accept_licence=True).exists()


def test_without_a_connection_the_message_says_which_file_to_put_where() -> None:
    entry = entry_at("http://no-such-host.invalid/weights.pth")
    with pytest.raises(DownloadError) as caught:
        fetch(entry)
    assert entry.address in str(caught.value)
    assert str(cached_file(entry)) in str(caught.value)
    cached_file(entry).parent.mkdir(parents=True, exist_ok=True)
    cached_file(entry).write_bytes(CONTENT)  # as the message says
    assert fetch(entry) == cached_file(entry)


def test_a_wrong_file_put_by_hand_is_refused_and_left() -> None:
    entry = entry_at("http://no-such-host.invalid/weights.pth")
    cached_file(entry).parent.mkdir(parents=True)
    cached_file(entry).write_bytes(b"an error page")
    with pytest.raises(DownloadError, match="another file"):
        fetch(entry)
    assert cached_file(entry).exists()


def test_a_full_disk_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fetching, "download", fail)
    with pytest.raises(DownloadError, match=r"No space left on device.*XDG_CACHE_HOME"):
        fetch(entry_at("http://127.0.0.1/w.pth"))


def test_a_hub_entry_is_fetched_by_repository_and_file(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def fake(*given: str) -> Path:
        asked.append(given)
        return Path("x")

    monkeypatch.setattr("resnext.weights.hub_file.hub_file", fake)
    assert fetch(entry_at("hf-hub:timm/resnext50.a/model.safetensors")) == Path("x")
    assert asked == [("timm/resnext50.a", "model.safetensors")]


def test_a_licence_accepted_once_holds_for_a_file_in_the_hubs_cache_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("resnext.weights.hub_file.hub_file", lambda *_: Path("x"))
    facts = {"licence": "CC-BY-NC-4.0", "is_non_commercial": True}
    entry = entry_at("hf-hub:timm/resnext50.a/model.safetensors", **facts)
    other = entry_at("hf-hub:timm/resnext50.b/model.safetensors", name="other", **facts)
    fetch(entry, accept_licence=True)
    assert fetch(entry) == Path("x")
    with pytest.raises(LicenceError, match="--accept-licence"):
        fetch(other)


def zipped(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("weights-0241.pth", content)
    return buffer.getvalue()


def test_a_file_in_an_archive_is_taken_out_and_checked() -> None:
    entry = entry_at("http://127.0.0.1:1/weights.pth.zip", sha256="", sha1=SHA1)
    place = cached_file(entry)
    assert place.name == "weights.pth"
    place.parent.mkdir(parents=True)
    place.with_name("weights.pth.zip").write_bytes(zipped(CONTENT))
    assert fetch(entry).read_bytes() == CONTENT
    left = {path.name for path in place.parent.iterdir() if path.suffix != ".lock"}
    assert left == {"weights.pth"}


def test_processes_that_unpack_one_archive_wait_for_one_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entry = entry_at("http://127.0.0.1:1/weights.pth.zip", sha256="", sha1=SHA1)
    fetched, found = [], []

    def deliver(address: str, place: Path, *_: object, **__: object) -> Path:
        fetched.append(address)
        place.write_bytes(zipped(CONTENT))
        time.sleep(0.1)
        return place

    monkeypatch.setattr(fetching, "download", deliver)
    threads = [threading.Thread(target=lambda: found.append(fetch(entry))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [cached_file(entry)] * 3
    assert len(fetched) == 1


def marked(offset: int, value: int) -> bytes:
    """Return an archive with a number of 16 bits changed in both of its headers."""
    archive = bytearray(zipped(CONTENT))
    for start, extra in ((archive.index(b"PK\3\4"), 0), (archive.index(b"PK\1\2"), 2)):
        place = start + offset + extra
        archive[place : place + 2] = value.to_bytes(2, "little")
    return bytes(archive)


BAD_ARCHIVES = {
    "another file": zipped(b"other"),
    "cut": zipped(CONTENT)[:5000],
    "no archive": b"no archive",
    "password": marked(6, 1),
    "compression": marked(8, 77),
    "bit": marked(8, 8),
}


@pytest.mark.parametrize("archive", BAD_ARCHIVES.values(), ids=BAD_ARCHIVES)
def test_a_bad_archive_leaves_no_file(archive: bytes) -> None:
    entry = entry_at("http://127.0.0.1:1/weights.pth.zip", sha256="", sha1=SHA1)
    cached_file(entry).parent.mkdir(parents=True)
    cached_file(entry).with_name("weights.pth.zip").write_bytes(archive)
    with pytest.raises(DownloadError, match=r"damaged archive|does not start with"):
        fetch(entry)
    assert not cached_file(entry).exists()
