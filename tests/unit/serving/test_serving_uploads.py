"""Bodies on their way: what they hold, and which are given up for others."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_service import form_of, image_bytes, made_client, made_service
from made_signal_service import signal_client
from starlette.requests import Request

from resnext.serving.admission import MAX_UPLOADS, STALLED_S, Admission, Ticket
from resnext.serving.body import read_body
from resnext.serving.limits import Limits
from resnext.serving.metrics import Metrics
from resnext.serving.problems import HttpError

MIB = 2**20


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def admission(clock: Clock) -> Admission:
    limits = Limits(max_memory_mib=4, max_body_mib=1, max_wait_s=100)
    return Admission(limits, Metrics(), lambda: 0.0, clock)


def upload(admission: Admission, num_bytes: int) -> Ticket:
    ticket = admission.enter()
    ticket.take_memory(num_bytes)
    return ticket


def test_an_announced_body_takes_no_memory_before_it_comes() -> None:
    service = made_service(max_memory_mib=1, max_body_mib=1)
    held = service.admission.enter()
    held.take_memory(MIB // 2)

    def parts() -> Iterator[bytes]:
        yield body[:100]
        assert service.admission.num_bytes <= MIB // 2 + 100
        yield body[100:]

    with made_client(service) as client:
        request = client.build_request("POST", "/v1/predict", files=form_of(image_bytes()))
        body = request.read()
        headers = {"Content-Type": request.headers["Content-Type"]}
        answer = client.post("/v1/predict", content=parts(), headers=headers)
        announced = headers | {"Content-Length": str(MIB)}  # a lie that only costs its teller
        lie = client.post("/v1/predict", content=body, headers=announced)
    assert answer.status_code == lie.status_code == 200


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "identity, br", "x-unknown"])
@pytest.mark.parametrize(
    "kind", ["application/json", "multipart/form-data; boundary=x", "application/octet-stream"]
)
def test_compressed_bodies_are_refused(coding: str, kind: str) -> None:
    body = gzip.compress(b'{"images": []}')
    headers = {"Content-Type": kind, "Content-Encoding": coding}
    with made_client() as client, signal_client() as signals:
        for one in (client, signals):
            answer = one.post("/v1/predict", content=body, headers=headers)
            assert (answer.status_code, answer.headers["Accept-Encoding"]) == (415, "identity")
            assert answer.json()["error"] == {
                "code": "unsupported_content_encoding",
                "message": "compressed bodies are not supported; send it uncompressed",
            }


@pytest.mark.parametrize("coding", ["identity", " Identity ", ""])
def test_a_body_may_say_that_it_is_not_compressed(coding: str) -> None:
    headers = {"Content-Encoding": coding}
    with made_client() as client:
        answer = client.post("/v1/predict", files=form_of(image_bytes()), headers=headers)
    assert answer.status_code == 200


def test_the_largest_stalled_upload_makes_room_and_is_told_so(
    admission: Admission, clock: Clock
) -> None:
    small, large = upload(admission, MIB), upload(admission, 2 * MIB)
    clock.seconds += STALLED_S
    fresh = upload(admission, MIB)
    fresh.take_memory(MIB)
    assert admission.num_bytes == 3 * MIB
    assert admission.num_uploads == 2
    small.take_memory(1)
    with pytest.raises(HttpError, match="stalled") as caught:
        large.take_memory(1)
    assert (caught.value.status, caught.value.code) == (408, "upload_timeout")


def test_uploads_that_move_are_never_given_up(admission: Admission, clock: Clock) -> None:
    for _ in range(4):
        upload(admission, MIB)
    clock.seconds += STALLED_S / 2
    with pytest.raises(HttpError, match="too many uploads") as caught:
        upload(admission, 1)
    assert caught.value.status == 429
    assert admission.num_bytes == 4 * MIB


def test_an_upload_that_asks_for_memory_is_not_given_up_for_itself(
    admission: Admission, clock: Clock
) -> None:
    whole = upload(admission, 4 * MIB)
    clock.seconds += STALLED_S
    with pytest.raises(HttpError, match="too many uploads"):
        whole.take_memory(1)
    assert admission.num_bytes == 4 * MIB


def test_a_byte_now_and_then_is_no_progress(admission: Admission, clock: Clock) -> None:
    dripping = upload(admission, 1)
    for _ in range(100):
        clock.seconds += STALLED_S / 10
        dripping.take_memory(1)
    moving = upload(admission, 64 * 1024)
    clock.seconds += STALLED_S / 2
    assert dripping.moved_at == 100.0
    assert moving.moved_at == clock.seconds - STALLED_S / 2


def test_all_slots_taken_by_slow_callers_leave_one_for_the_next(
    admission: Admission, clock: Clock
) -> None:
    slowest = upload(admission, 1)
    clock.seconds += STALLED_S / 2
    for _ in range(MAX_UPLOADS - 1):
        upload(admission, 1)
    with pytest.raises(HttpError, match="too many uploads"):
        admission.enter()
    clock.seconds += STALLED_S
    first_told: list[bool] = []
    slowest.on_given_up = lambda: first_told.append(True)
    admission.enter()
    assert first_told == [True]
    assert admission.num_uploads == MAX_UPLOADS


def test_a_body_that_is_there_is_not_given_up(admission: Admission, clock: Clock) -> None:
    waiting = [upload(admission, MIB) for _ in range(4)]
    for ticket in waiting:
        ticket.join_queue()
    clock.seconds += 1000
    with pytest.raises(HttpError, match="too many uploads"):
        upload(admission, 1)


@given(
    st.lists(st.tuples(st.sampled_from(["enter", "grow", "stall", "leave"]), st.integers(0, 2**20)))
)
def test_memory_stays_within_its_bound_and_all_comes_back(steps: list[tuple[str, int]]) -> None:
    clock = Clock()
    admission = Admission(Limits(max_memory_mib=2, max_body_mib=1), Metrics(), lambda: 0.0, clock)
    tickets: list[Ticket] = []
    for step, number in steps:
        if step == "enter":
            tickets.append(admission.enter())
        elif step == "stall":
            clock.seconds += number / 2**19
        elif tickets:
            ticket = tickets[number % len(tickets)]
            if step == "leave":
                tickets.remove(ticket)
                ticket.__exit__(None, None, None)
            else:
                _try_to_grow(ticket, number)
        assert 0 <= admission.num_bytes <= 2 * MIB
    for ticket in tickets:
        ticket.__exit__(None, None, None)
    assert admission.num_bytes == admission.num_uploads == 0


def _try_to_grow(ticket: Ticket, num_bytes: int) -> None:
    with contextlib.suppress(HttpError):
        ticket.take_memory(num_bytes)


def test_reading_ends_at_once_when_the_upload_is_given_up(admission: Admission) -> None:
    async def never_ending() -> AsyncIterator[dict[str, Any]]:
        yield {"type": "http.request", "body": b"a" * 100, "more_body": True}
        await asyncio.sleep(60)

    async def run() -> None:
        ticket = admission.enter()
        scope = {"type": "http", "method": "POST", "headers": []}
        request = Request(scope, never_ending().__anext__)
        reading = asyncio.create_task(read_body(request, Limits(upload_timeout_s=60), ticket))
        while ticket.num_bytes == 0:
            await asyncio.sleep(0)
        ticket.give_up()
        ticket.give_up()  # the second finds nothing to give up
        assert admission.num_bytes == admission.num_uploads == 0
        await reading

    with pytest.raises(HttpError, match="stalled") as caught:
        asyncio.run(asyncio.wait_for(run(), 20))
    assert caught.value.status == 408
