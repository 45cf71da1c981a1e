"""Memory for images that are decoded, and who holds it how long."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_service import Gate, form_of, image_bytes, made_client, made_model

from resnext.serving.limits import Limits
from resnext.serving.memory import MemorySemaphore
from resnext.serving.model import ServedModel
from resnext.serving.service import Service

SIDE = 256
IMAGE = image_bytes(side=SIDE)
BYTES_OF_ONE = 16 * SIDE * SIDE + 64 * SIDE
MIB_OF_ONE = BYTES_OF_ONE / 2**20


class Counting:
    """Stands in for the decoder: counts how many images are in it at a time."""

    def __init__(self) -> None:
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()

    def __call__(self, _: ServedModel, __: bytes) -> np.ndarray:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(0.05)
        with self._lock:
            self._now -= 1
        return np.zeros((8, 8, 3), np.uint8)


@pytest.mark.parametrize(
    ("mib", "threads", "expected"),
    [(10 * MIB_OF_ONE, 4, 4), (2 * MIB_OF_ONE, 4, 2), (0.1 * MIB_OF_ONE, 4, 1), (10, 1, 1)],
)
def test_only_as_many_images_are_decoded_at_once_as_there_is_memory_and_threads_for(
    mib: float, threads: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    counting = Counting()
    monkeypatch.setattr(ServedModel, "decode", lambda model, data: counting(model, data))
    service = Service(made_model, Limits(max_decode_mib=mib), threads=threads)
    with made_client(service) as client:
        answer = client.post("/v1/predict", files=form_of(*[IMAGE] * 8))
    assert answer.status_code == 200
    assert counting.most == expected


def whole_images(gate: Gate) -> Callable[[], ServedModel]:
    """Return what opens a network that resizes and crops inside."""
    exported = made_model(gate).exported
    spec = exported.spec.replace(input="image")
    return lambda: ServedModel(replace(exported, spec=spec), "whole")


def test_images_that_stay_whole_hold_their_memory_until_they_were_run() -> None:
    gate = Gate()
    service = Service(whole_images(gate), Limits(max_decode_mib=2.5 * MIB_OF_ONE), threads=4)
    with made_client(service) as client, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(client.post, "/v1/predict", files=form_of(*[IMAGE] * 5))
        assert gate.entered.acquire(timeout=30)
        time.sleep(0.3)
        assert service.room.num_bytes == 2 * BYTES_OF_ONE
        gate.open.set()
        assert asked.result().status_code == 200
    assert len(asked.result().json()["images"]) == 5
    assert gate.batches == [1] * 5
    assert service.room.num_bytes == 0


def test_images_that_were_cropped_hold_none_while_they_wait() -> None:
    gate = Gate()
    service = Service(lambda: made_model(gate), Limits())
    with made_client(service) as client, ThreadPoolExecutor(1) as pool:
        asked = pool.submit(client.post, "/v1/predict", files=form_of(IMAGE, IMAGE))
        assert gate.entered.acquire(timeout=30)
        assert service.room.num_bytes == 0
        gate.open.set()
        assert asked.result().status_code == 200


def test_a_bad_image_among_whole_ones_is_named_and_none_is_answered() -> None:
    gate = Gate()
    gate.open.set()
    with made_client(Service(whole_images(gate), Limits())) as client:
        torn = image_bytes(form="JPEG", side=64)[:400]
        answer = client.post("/v1/predict", files=form_of(IMAGE, torn, IMAGE))
    assert answer.status_code == 400
    assert [image["index"] for image in answer.json()["error"]["images"]] == [1]


def test_memory_of_an_answer_that_took_too_long_comes_back() -> None:
    gate = Gate()
    limits = Limits(max_decode_mib=MIB_OF_ONE, answer_timeout_s=0.3)
    service = Service(whole_images(gate), limits)
    with made_client(service) as client:
        answer = client.post("/v1/predict", files=form_of(IMAGE, IMAGE, IMAGE))
        assert answer.status_code == 503
        gate.open.set()
        assert client.post("/v1/predict", files=form_of(IMAGE)).status_code == 200
    assert service.room.num_bytes == 0


@given(st.lists(st.tuples(st.integers(1, 15), st.booleans()), max_size=20))
def test_memory_is_given_in_turn_within_its_bound_and_all_comes_back(
    wanted: list[tuple[int, bool]],
) -> None:
    room, order, inside = MemorySemaphore(10), list[int](), set[int]()

    async def hold(number: int, num_bytes: int) -> None:
        await room.take(num_bytes)
        order.append(number)
        inside.add(number)
        assert room.num_bytes <= 10 or inside == {number}
        try:
            await asyncio.sleep(0)
        finally:  # given up while it works
            inside.discard(number)
            room.give_back(num_bytes)

    async def run() -> None:
        tasks = [asyncio.create_task(hold(n, size)) for n, (size, _) in enumerate(wanted)]
        await asyncio.sleep(0)
        for task, (_, gives_up) in zip(tasks, wanted, strict=True):
            if gives_up and not task.done():
                task.cancel()
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)

    asyncio.run(run())
    assert room.num_bytes == 0
    assert order == sorted(order)
    stayed = {number for number, (_, gives_up) in enumerate(wanted) if not gives_up}
    assert stayed <= set(order)
