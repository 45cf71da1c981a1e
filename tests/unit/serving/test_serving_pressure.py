"""What the service does when more comes than it can work on."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_service import (
    Gate,
    form_of,
    image_bytes,
    made_client,
    made_model,
    made_service,
    mean_of_channels,
)

from resnext.errors import CheckpointError
from resnext.serving.admission import Admission, Ticket
from resnext.serving.batcher import Batcher
from resnext.serving.limits import Limits
from resnext.serving.metrics import Metrics
from resnext.serving.problems import HttpError


def test_requests_above_the_queue_are_told_when_to_come_back_and_the_others_are_answered() -> None:
    gate = Gate()
    with made_client(made_service(gate, queue_images=3)) as client, ThreadPoolExecutor(8) as pool:
        files = form_of(image_bytes())
        first = [pool.submit(client.post, "/v1/predict", files=files) for _ in range(3)]
        assert gate.entered.acquire(timeout=30)
        while "resnext_queue_images 3.0" not in client.get("/metrics").text:
            pass
        refused = client.post("/v1/predict", files=files)
        gate.open.set()
        answers = [future.result() for future in first]
        after = client.post("/v1/predict", files=files)
    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "overloaded"
    assert int(refused.headers["Retry-After"]) >= 1
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert after.status_code == 200


def test_a_request_with_more_images_than_places_left_is_refused_and_frees_its_own() -> None:
    gate = Gate()
    service = made_service(gate, queue_images=4)
    with made_client(service) as client, ThreadPoolExecutor(1) as pool:
        held = pool.submit(client.post, "/v1/predict", files=form_of(image_bytes(), image_bytes()))
        assert gate.entered.acquire(timeout=30)
        refused = client.post("/v1/predict", files=form_of(*[image_bytes()] * 3))
        assert service.admission.num_images == 2
        assert service.admission.num_uploads == 0  # its body is there
        gate.open.set()
        assert held.result().status_code == 200
    assert refused.status_code == 429
    assert service.admission.num_images == service.admission.num_bytes == 0


@pytest.mark.slow
def test_bodies_above_the_memory_are_told_to_come_back() -> None:
    gate = Gate()
    service = made_service(gate, max_memory_mib=0.5, max_body_mib=0.4)
    image = image_bytes() + b"\0" * 300_000  # PNG ends where its end is marked
    with made_client(service) as client, ThreadPoolExecutor(1) as pool:
        held = pool.submit(client.post, "/v1/predict", files=form_of(image))
        assert gate.entered.acquire(timeout=30)
        refused = client.post("/v1/predict", files=form_of(image))
        gate.open.set()
        assert held.result().status_code == 200
    assert refused.status_code == 429
    assert service.admission.num_bytes == 0


def test_an_answer_that_takes_too_long_is_told_so_and_gives_its_places_back() -> None:
    gate = Gate()
    service = made_service(gate, answer_timeout_s=0.2)
    with made_client(service) as client:
        answer = client.post("/v1/predict", files=form_of(image_bytes()))
        gate.open.set()
        assert service.admission.num_images == 0
        assert client.post("/v1/predict", files=form_of(image_bytes())).status_code == 200
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "too_slow"
    assert "Retry-After" in answer.headers


def test_images_that_gather_while_a_batch_runs_go_through_together() -> None:
    gate = Gate()

    async def run() -> list[Any]:
        model, batcher = made_model(gate), Batcher(4, Metrics())
        model.try_out()
        batcher.start()
        pixels = [np.full((8, 8, 3), number, np.uint8) for number in range(10)]
        first = batcher.submit(model, pixels[0])
        await asyncio.to_thread(gate.entered.acquire)
        rest = [batcher.submit(model, image) for image in pixels[1:]]
        gate.open.set()
        rows = await asyncio.gather(first, *rest)
        await batcher.stop()
        return rows

    rows = asyncio.run(run())
    assert gate.batches == [1, 4, 4, 1]
    for number, row in enumerate(rows):  # each got its own answer
        assert row == pytest.approx([number / 25.5] * 3)


def test_images_for_two_networks_never_share_a_batch() -> None:
    gate = Gate()

    async def run() -> list[Any]:
        old, batcher = made_model(gate), Batcher(8, Metrics())
        new = made_model(lambda batch: -mean_of_channels(batch))
        old.try_out()
        batcher.start()
        image = np.full((8, 8, 3), 51, np.uint8)
        first = batcher.submit(old, image)
        await asyncio.to_thread(gate.entered.acquire)
        rest = [batcher.submit(model, image) for model in (old, new, old, old, new)]
        gate.open.set()
        rows = await asyncio.gather(first, *rest)
        await batcher.stop()
        return rows

    rows = asyncio.run(run())
    assert [row[0] for row in rows] == pytest.approx([2, 2, -2, 2, 2, -2])
    assert gate.batches == [1, 1, 2]


def test_an_error_of_the_runtime_fails_its_batch_only() -> None:
    def infer(batch: np.ndarray) -> np.ndarray:
        if batch.max() == 7:
            raise RuntimeError("out of memory")
        return np.zeros((len(batch), 3), np.float32)

    async def run() -> list[object]:
        model, batcher = made_model(infer), Batcher(1, Metrics())
        batcher.start()
        images = [np.full((8, 8, 3), value, np.uint8) for value in (1, 7, 2)]
        waiting = [batcher.submit(model, image) for image in images]
        results = await asyncio.gather(*waiting, return_exceptions=True)
        await batcher.stop()
        return list(results)

    results = asyncio.run(run())
    assert [isinstance(result, CheckpointError) for result in results] == [False, True, False]


def test_an_image_whose_caller_gave_up_is_not_run() -> None:
    gate = Gate()

    async def run() -> None:
        model, batcher = made_model(gate), Batcher(4, Metrics())
        model.try_out()
        batcher.start()
        image = np.zeros((8, 8, 3), np.uint8)
        first = batcher.submit(model, image)
        await asyncio.to_thread(gate.entered.acquire)
        given_up, last = batcher.submit(model, image), batcher.submit(model, image)
        given_up.cancel()
        gate.open.set()
        await asyncio.gather(first, last)
        await batcher.stop()

    asyncio.run(run())
    assert gate.batches == [1, 1]


def test_a_bug_is_answered_in_the_common_form_without_its_reason() -> None:
    is_tried = threading.Event()

    def infer(batch: np.ndarray) -> np.ndarray:
        if is_tried.is_set():
            raise RuntimeError("a secret")
        is_tried.set()
        return np.zeros((len(batch), 3), np.float32)

    with made_client(made_service(infer)) as client:
        answer = client.post("/v1/predict", files=form_of(image_bytes()))
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal_error"
    assert answer.headers["X-Request-Id"] in answer.text
    assert "secret" not in answer.text


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 2**20), st.booleans()), max_size=30))
def test_places_and_memory_never_exceed_their_bounds_and_all_come_back(
    requests: list[tuple[int, int, bool]],
) -> None:
    limits = Limits(queue_images=10, max_memory_mib=2, max_body_mib=1, max_wait_s=100)
    admission = Admission(limits, Metrics(), lambda: 0.5)
    inside = []
    for num_images, num_bytes, leaves in requests:
        try:
            ticket = admission.enter()
        except HttpError:
            assert admission.num_images == 10
            continue
        inside.append(ticket)
        try:
            ticket.take_memory(num_bytes)
            ticket.join_queue()
            ticket.take_places(num_images)
        except HttpError:
            leaves = True
        if leaves:
            inside.pop().__exit__(None, None, None)
        assert 0 <= admission.num_images <= 10
        assert 0 <= admission.num_bytes <= 2 * 2**20
    for ticket in inside:
        ticket.__exit__(None, None, None)
    assert admission.num_images == admission.num_bytes == admission.num_uploads == 0


def inside(admission: Admission) -> Ticket:
    """Return the ticket of a request whose body is there."""
    ticket = admission.enter()
    ticket.join_queue()
    return ticket


def test_bodies_on_their_way_take_no_place_of_an_image_and_have_a_bound_of_their_own() -> None:
    admission = Admission(Limits(queue_images=4, max_wait_s=0.1), Metrics(), lambda: 60.0)
    arriving = [admission.enter() for _ in range(1024)]
    with pytest.raises(HttpError, match="too many uploads"):
        admission.enter()
    assert admission.num_images == 0
    arriving.pop().join_queue()  # nothing is before it
    with pytest.raises(HttpError, match="the queue is too long"):
        arriving.pop().join_queue()
    admission.give_back(1, 0)
    admission.enter()  # the two that are there are no uploads any more


def test_a_place_is_asked_for_before_the_body_is_sent_and_again_when_it_is_there() -> None:
    admission = Admission(Limits(queue_images=1), Metrics(), lambda: 0.0)
    early, late = admission.enter(), admission.enter()
    early.join_queue()
    with pytest.raises(HttpError, match="queue is full"):
        late.join_queue()
    with pytest.raises(HttpError, match="queue is full"):
        admission.enter()


def test_a_slow_network_takes_in_no_more_than_it_answers_in_the_time_to_wait() -> None:
    admission = Admission(Limits(queue_images=64, max_wait_s=2), Metrics(), lambda: 0.25)
    inside(admission).take_places(32)  # nothing is before it
    assert admission.num_images == 32
    with pytest.raises(HttpError, match="the queue is too long"):
        admission.enter()
    admission.give_back(24, 0)
    inside(admission)  # eight are before it, of a quarter of a second each
    with pytest.raises(HttpError, match="the queue is too long"):
        admission.enter()


@pytest.mark.parametrize(("seconds", "wait"), [(0.0, 1), (0.5, 2), (1000.0, 60)])
def test_the_time_to_come_back_is_that_of_the_queue_within_a_minute(
    seconds: float, wait: int
) -> None:
    limits = Limits(queue_images=4, max_wait_s=10**6)
    admission = Admission(limits, Metrics(), lambda: seconds)
    for _ in range(4):
        inside(admission)
    with pytest.raises(HttpError) as caught:
        admission.enter()
    assert caught.value.headers["Retry-After"] == str(wait)
