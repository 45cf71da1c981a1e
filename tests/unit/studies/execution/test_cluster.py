import signal
import socket
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from resnext import ray_cluster
from resnext.errors import ConfigError, RunError
from resnext.studies.execution.attempts import Status, last_words
from resnext.studies.execution.cluster import RayExecutor
from resnext.studies.execution.executor import TrialResources


class RayError(Exception):
    pass


class TaskCancelledError(RayError):
    pass


class RayTaskError(RayError):
    pass


class FakeRay:
    """A cluster of two machines with 4 and 8 cores, whose tasks end as they are told."""

    exceptions = SimpleNamespace(
        RayError=RayError, TaskCancelledError=TaskCancelledError, RayTaskError=RayTaskError
    )

    gpus = 0.0

    def __init__(self) -> None:
        self.joined: dict[str, Any] = {}
        self.options: dict[str, Any] = {}
        self.ends: dict[str, int | Exception] = {}
        self.cancelled: list[tuple[str, bool]] = []

    def init(self, **options: Any) -> None:
        self.joined = options
        if options.get("address") == "nowhere":
            raise ConnectionError("no one is there")

    def cluster_resources(self) -> dict[str, float]:
        return {"CPU": 12.0} | ({"GPU": self.gpus} if self.gpus else {})

    def nodes(self) -> list[dict[str, Any]]:
        return [
            {"Alive": True, "Resources": {"CPU": 4.0}},
            {"Alive": True, "Resources": {"CPU": 8.0, "GPU": self.gpus}},
            {"Alive": False, "Resources": {"CPU": 64.0}},
        ]

    def remote(self, **options: Any) -> Any:
        self.options = options
        return lambda _: SimpleNamespace(remote=lambda folder, *_: folder)

    def wait(self, tasks: list[str], **_: Any) -> tuple[list[str], list[str]]:
        ready = [task for task in tasks if task in self.ends]
        return ready, [task for task in tasks if task not in self.ends]

    def get(self, task: str) -> int:
        end = self.ends[task]
        if isinstance(end, Exception):
            raise end
        return end

    def cancel(self, task: str, *, force: bool) -> None:
        self.cancelled.append((task, force))


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> FakeRay:
    fake = FakeRay()
    monkeypatch.setattr(ray_cluster, "import_ray", lambda: fake)
    return fake


def test_without_ray_the_message_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ConfigError, match=r"pip install 'resnext\[cluster\]'"):
        RayExecutor(TrialResources(threads=1), "auto")


@pytest.mark.usefixtures("ray")
def test_a_cluster_that_is_not_there_is_named() -> None:
    with pytest.raises(RunError, match="--cluster nowhere: no Ray cluster answers"):
        RayExecutor(TrialResources(threads=1), "nowhere")


@pytest.mark.usefixtures("ray")
def test_an_address_where_nobody_listens_is_told_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        assert RayExecutor(TrialResources(threads=1), f"127.0.0.1:{port}").slots == 12
    for address in (f"127.0.0.1:{port}", f"ray://localhost:{port}"):
        with pytest.raises(RunError, match=r"no Ray cluster answers there \(.*refused"):
            RayExecutor(TrialResources(threads=1), address)


@pytest.mark.parametrize(("threads", "slots"), [(1, 12), (3, 3), (5, 1), (8, 1)])
def test_a_trial_needs_all_its_cores_on_one_living_machine(
    ray: FakeRay, threads: int, slots: int
) -> None:
    assert RayExecutor(TrialResources(threads=threads), "auto").slots == slots
    assert ray.options == {"num_cpus": threads, "num_gpus": 0, "max_retries": 0}


@pytest.mark.parametrize(("processes", "slots"), [(1, 2), (2, 1)])
def test_a_trial_needs_a_gpu_for_each_process(ray: FakeRay, processes: int, slots: int) -> None:
    ray.gpus = 2.0
    assert (
        RayExecutor(TrialResources(threads=1, processes=processes, on_gpu=True), "auto").slots
        == slots
    )
    assert ray.options["num_gpus"] == processes


def test_a_trial_of_more_gpus_than_a_machine_has_is_refused_instead_of_waiting(
    ray: FakeRay,
) -> None:
    ray.gpus = 2.0
    message = "need 4 cores and 4 GPUs on one machine; .* 4 cores and 0 GPUs; 8 cores and 2 GPUs"
    with pytest.raises(ConfigError, match=message):
        RayExecutor(TrialResources(threads=1, processes=4, on_gpu=True), "auto")


def test_a_local_cluster_joins_no_other(ray: FakeRay) -> None:
    RayExecutor(TrialResources(threads=1), "local")
    assert ray.joined["address"] == "local"  # none would take the cluster of the environment


@pytest.mark.usefixtures("ray")
def test_a_trial_that_no_machine_has_room_for_is_refused() -> None:
    with pytest.raises(ConfigError, match="need 10 cores on one machine"):
        RayExecutor(TrialResources(threads=5, processes=2), "auto")


@pytest.mark.parametrize(
    ("end", "status"),
    [
        (0, 0),
        (Status.DIVERGED, Status.DIVERGED),
        (TaskCancelledError(), 128 + signal.SIGTERM),
        (RayError("the worker died"), -signal.SIGKILL),
        (RayTaskError("no such folder"), Status.CRASHED),
    ],
)
def test_the_end_of_a_task_is_a_status(
    ray: FakeRay, tmp_path: Path, end: int | Exception, status: int
) -> None:
    executor = RayExecutor(TrialResources(threads=1), "auto")
    executor.start(tmp_path)
    assert executor.ended() == []
    ray.ends[str(tmp_path)] = end
    assert executor.ended() == [(tmp_path, status)]
    assert executor.ended() == []
    if isinstance(end, RayTaskError):
        assert "share the disk" in last_words(tmp_path)


def test_stopping_is_gentle_and_killing_is_not(ray: FakeRay, tmp_path: Path) -> None:
    executor = RayExecutor(TrialResources(threads=1), "auto")
    executor.start(tmp_path)
    executor.stop(tmp_path)
    executor.kill()
    assert ray.cancelled == [(str(tmp_path), False), (str(tmp_path), True)]
