"""Ray Serve gets several attempts to start: on a busy machine its first may fail."""

from dataclasses import replace
from typing import Any

import pytest

from resnext.errors import RunError
from resnext.serving import cluster as module
from resnext.serving.cluster import Cluster

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
