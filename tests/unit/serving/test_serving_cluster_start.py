"""Ray Serve gets several attempts to start: on a busy machine its first may fail."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from resnext.errors import RunError
from resnext.serving import cluster as module
from resnext.serving.cluster import Cluster
from resnext.serving.limits import Limits
from resnext.serving.source import ModelSource

ray_exceptions = pytest.importorskip(
    "ray.exceptions", reason="the extra `cluster` is not installed"
)

PLACE = Cluster(address="local", replicas=1, host="127.0.0.1", port=8000)


class FakeServe:
    """Ray Serve that fails to start a number of times."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.calls: list[str] = []

    def start(self, *, proxy_location: str, http_options: dict[str, Any]) -> None:
        self.calls.append("start")
        assert http_options == {"host": "127.0.0.1", "port": 8000}
        assert proxy_location == "EveryNode"
        if self.failures:
            self.failures -= 1
            raise ray_exceptions.RayActorError()

    def shutdown(self) -> None:
        self.calls.append("shutdown")


def test_what_fails_once_is_cleared_away_and_started_again() -> None:
    serve = FakeServe(failures=1)
    module._start(serve, PLACE)
    assert serve.calls == ["start", "shutdown", "start"]


def test_what_always_fails_ends_with_one_message() -> None:
    serve = FakeServe(failures=99)
    message = "--cluster local: the service does not start there"
    with pytest.raises(RunError, match=message), module._told(PLACE):
        module._start(serve, PLACE)
    assert serve.calls.count("start") == 3


class SlowServe:
    """Ray Serve that takes longer to start than it waits; its proxy passes through states."""

    def __init__(self, *states: str) -> None:
        self.states = list(states)

    def start(self, **_: object) -> None:
        raise TimeoutError("HTTP proxies not available after 60s.")

    def status(self) -> SimpleNamespace:
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return SimpleNamespace(proxies={"node": state} if state else {})


def test_a_slow_start_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    serve = SlowServe("", "STARTING", "UNHEALTHY", "STARTING", "HEALTHY")
    module._start(serve, PLACE)
    assert serve.states == ["HEALTHY"]


def test_a_start_that_takes_too_long_ends_with_one_message(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_MAX_START_S", 0.0)
    with pytest.raises(RunError, match="proxies are not available"), module._told(PLACE):
        module._start(SlowServe("STARTING"), PLACE)


@pytest.fixture
def handlers() -> Iterator[None]:
    """Put the handlers of signals back."""
    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def _hide_the_exception() -> None:
    try:
        os.kill(os.getpid(), signal.SIGTERM)
        signal.sigtimedwait([], 5)  # the handler runs
    except BaseException as error:
        raise SystemError("a result with an exception set") from error


def _break_down() -> None:
    raise SystemError("a result with an exception set")


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize(("start", "is_error"), [(_hide_the_exception, False), (_break_down, True)])
def test_a_signal_ends_the_start_even_if_ray_hides_its_exception(
    start: Callable[[], None], is_error: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = FakeRay()
    monkeypatch.setattr(module, "join_cluster", lambda _: ray)
    monkeypatch.setattr(module, "import_ray", lambda _: None)
    monkeypatch.setattr(module, "_start", lambda *_: start())
    source = ModelSource(Path("network.onnx"), threads=1)
    if is_error:
        with pytest.raises(SystemError):
            module.serve_on_cluster(source, Limits(), None, PLACE)
    else:
        assert module.serve_on_cluster(source, Limits(), None, PLACE) == 0
    assert ray.has_ended


class FakeRay:
    """Ray on a machine with two processors."""

    has_ended = False

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": 2.0}

    def shutdown(self) -> None:
        self.has_ended = True


@pytest.mark.parametrize(("replicas", "threads", "fits"), [(1, 2, True), (2, 2, False)])
def test_replicas_that_do_not_fit_on_this_machine_are_refused(
    replicas: int, threads: int, fits: bool
) -> None:
    ray, place = FakeRay(), replace(PLACE, replicas=replicas)
    if fits:
        module._check_room(ray, place, threads)
    else:
        with pytest.raises(RunError, match="need 4 processors, and this machine has 2"):
            module._check_room(ray, place, threads)
    assert ray.has_ended is not fits
    module._check_room(FakeRay(), replace(place, address="auto"), threads)


def test_an_error_without_words_is_named() -> None:
    assert module._reason(TimeoutError()) == "TimeoutError"


def test_replicas_that_cannot_be_deleted_are_reported(caplog: pytest.LogCaptureFixture) -> None:
    class BrokenServe:
        def delete(self, name: str) -> None:
            assert name == "resnext"
            raise ray_exceptions.RayActorError()

    module._delete_started(BrokenServe())
    assert "replicas may still run on the cluster" in caplog.text
