"""Without a connection there is one message, at once, that says which file to copy where."""

import logging
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from resnext.errors import DownloadError
from resnext.weights.catalogue import find_entry
from resnext.weights.fetch import cached_file, check_reach, fetch, web_address
from resnext.weights.hub_file import hub_file
from resnext.weights.reach import Silence
from resnext.weights.source import open_weights


@pytest.fixture(autouse=True)
def no_pauses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep every file here, and let no attempt wait for another one."""

    def pause(seconds: float) -> None:
        raise AssertionError(f"waits {seconds} s for another attempt")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("time.sleep", pause)
    resolve = socket.getaddrinfo

    def resolve_here(host: str, *rest: Any, **options: Any) -> Any:
        assert host == "127.0.0.1", f"{host} would be contacted"
        return resolve(host, *rest, **options)

    monkeypatch.setattr("socket.getaddrinfo", resolve_here)


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


@pytest.fixture
def closed_hub(closed_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"http://127.0.0.1:{closed_port}"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(
        "huggingface_hub.file_download.HUGGINGFACE_CO_URL_TEMPLATE", template, raising=False
    )
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)


@pytest.mark.usefixtures("closed_hub")
def test_a_repository_is_one_message_without_retries(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), pytest.raises(DownloadError) as caught:
        open_weights("someone/network")
    assert str(caught.value).count("\n") == 0
    assert "put them in one folder and give that folder" in str(caught.value)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.usefixtures("closed_hub")
def test_an_entry_on_the_hub_says_which_file_to_put_where(caplog: pytest.LogCaptureFixture) -> None:
    entry = find_entry("resnet18.a1_in1k")
    with caplog.at_level(logging.INFO), pytest.raises(DownloadError) as caught:
        fetch(entry)
    assert f"put it at {cached_file(entry)}" in str(caught.value)
    assert str(caught.value).count("on another machine") == 1
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_an_entry_elsewhere_says_which_file_to_put_where(closed_port: int) -> None:
    entry = find_entry("resnet18.imagenet1k_v1").replace(
        address=f"http://127.0.0.1:{closed_port}/resnet18.pth"
    )
    with pytest.raises(DownloadError, match="cannot be reached") as caught:
        fetch(entry)
    assert f"put it at {cached_file(entry)}" in str(caught.value)


def test_offline_mode_contacts_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def contact(*_: object, **__: object) -> None:
        raise AssertionError("a connection is opened")

    monkeypatch.setattr("socket.create_connection", contact)
    monkeypatch.setattr("socket.getaddrinfo", contact)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(DownloadError, match=r"HF_HUB_OFFLINE is set.*put it at"):
        fetch(find_entry("resnet18.imagenet1k_v1"))
    with pytest.raises(DownloadError, match="put it at"):
        fetch(find_entry("resnet18.a1_in1k"))
    with pytest.raises(DownloadError, match="give that folder"):
        hub_file("someone/network", "model.safetensors")


@pytest.mark.usefixtures("closed_hub")
@pytest.mark.parametrize("name", ["resnet26.bt_in1k", "resnext29_32x4d.pytorchcv_cifar100"])
def test_what_to_copy_where_names_size_checksum_and_address(
    name: str, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = find_entry(name)
    monkeypatch.setattr(
        "resnext.weights.fetch.contacted_address", lambda _: f"http://127.0.0.1:{closed_port}"
    )
    with pytest.raises(DownloadError) as caught:
        check_reach(entry)
    text = str(caught.value)
    assert web_address(entry) in text
    assert str(cached_file(entry)) in text
    assert re.search(r"\(about \d+ MB", text)
    assert not entry.sha1 or f"sha1 {entry.sha1}" in text
    assert ("unpack it" in text) == entry.address.endswith(".zip")


def test_a_server_that_does_not_answer_yet_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    silence = Silence("huggingface.co does not answer", is_final=False)
    monkeypatch.setattr("resnext.weights.fetch.reach", lambda _: silence)
    check_reach(find_entry("resnet26.bt_in1k"))
    assert "does not answer yet. Without a connection, download https://" in caplog.text


def test_what_is_here_is_not_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def contact(_: str) -> None:
        raise AssertionError("a connection is opened")

    monkeypatch.setattr("resnext.weights.fetch.reach", contact)
    for name, file in (
        ("resnet18.imagenet1k_v1", cached_file(find_entry("resnet18.imagenet1k_v1"))),
        (
            "resnet26.bt_in1k",
            tmp_path / "hub/models--timm--resnet26.bt_in1k/snapshots/abc/model.safetensors",
        ),
    ):
        file.parent.mkdir(parents=True)
        file.touch()
        check_reach(find_entry(name))
