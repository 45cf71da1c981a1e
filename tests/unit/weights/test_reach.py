"""Whether a server can be reached is known at once, whatever the network does."""

import socket
import threading
from collections.abc import Iterator

import pytest

from resnext.weights.reach import reach


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def server() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


def test_a_server_that_listens_is_reached(server: int) -> None:
    assert reach(f"http://127.0.0.1:{server}/file", wait_s=20) is None


def test_a_refusal_is_final_and_names_the_server(closed_port: int) -> None:
    silence = reach(f"https://127.0.0.1:{closed_port}/file", wait_s=20)
    assert silence is not None
    assert silence.is_final
    assert silence.reason.startswith("127.0.0.1: ")


def test_no_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()

    def hang(*_: object, **__: object) -> None:
        released.wait(60)
        raise OSError("too late")

    monkeypatch.setattr("socket.create_connection", hang)
    silence = reach("https://example.invalid/file", wait_s=0.01)
    released.set()
    assert silence is not None
    assert not silence.is_final
    assert "example.invalid does not answer" in silence.reason


@pytest.mark.parametrize("address", ["https://example.invalid/file", "http://example.invalid:81/"])
def test_behind_a_proxy_the_proxy_is_asked(
    address: str, server: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for scheme in ("http", "https"):
        monkeypatch.setenv(f"{scheme}_proxy", f"127.0.0.1:{server}")
    assert reach(address, wait_s=20) is None


@pytest.mark.parametrize("address", ["https://", "https://\udce4/", f"https://{'a' * 70}.b/"])
def test_an_address_that_is_none_is_a_final_no(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(*_: object, **__: object) -> None:
        raise UnicodeError("label too long")

    monkeypatch.setattr("socket.getaddrinfo", resolve)
    silence = reach(address, wait_s=20)
    assert silence is not None
    assert silence.is_final
