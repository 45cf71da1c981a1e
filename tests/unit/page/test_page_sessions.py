import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("gradio", reason="the extra `serve` is not installed")

from served_page import API, Asked, served_page

from resnext.page import sessions

REPORT = 6

pytestmark = pytest.mark.slow  # each test has a page of its own


@pytest.fixture
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    with served_page(tmp_path_factory.mktemp("runs")) as asked:
        yield asked


def call(asked: Asked, session: str) -> int:
    status: int = asked.join(REPORT, ["first"], session).status_code
    return status


def test_who_never_reads_is_told_to_wait(asked: Asked) -> None:
    statuses = [call(asked, "s") for _ in range(sessions.MAX_UNREAD_OF_ONE + 3)]
    assert statuses == [200] * sessions.MAX_UNREAD_OF_ONE + [429] * 3
    done = [one for one in asked.answers("s") if one["msg"] == "process_completed"]
    assert len(done) == sessions.MAX_UNREAD_OF_ONE
    assert call(asked, "s") == 200


@pytest.mark.slow
def test_sessions_to_which_nobody_listens_are_forgotten(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MAX_SESSIONS", 3)
    for number in range(20):
        assert call(asked, f"s{number}") == 200
    queue: Any = asked.page._queue
    assert set(queue.pending_event_ids_session) == {"s17", "s18", "s19"}
    assert set(queue.pending_messages_per_session) == {"s17", "s18", "s19"}
    assert asked.client.get(f"{API}/queue/data?session_hash=s0").status_code == 404
    assert asked.result("s19")


def test_all_that_is_unread_is_bounded(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MAX_UNREAD", 5)
    for number in range(20):
        assert call(asked, f"s{number}") == 200
    assert sum(map(len, asked.page._queue.pending_event_ids_session.values())) <= 5


def test_the_state_of_sessions_is_bounded(asked: Asked) -> None:
    assert asked.page.state_holder.capacity == sessions.MAX_SESSIONS


def test_old_sessions_are_forgotten_when_others_come(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "_ABANDONED_S", 0.0)
    for name in ("a", "b"):
        call(asked, name)
    assert set(asked.page._queue.pending_event_ids_session) == {"b"}


def test_a_session_that_is_read_is_never_forgotten_and_has_one_reader(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "_STREAM_ENDS_S", 0.01)
    monkeypatch.setattr(sessions, "MAX_SESSIONS", 1)
    call(asked, "read")
    guard: Any = asked.guard

    async def while_read() -> None:
        async with guard._sessions.listening("read"):
            with pytest.raises(sessions.BusyError, match="another reader is reading"):
                async with guard._sessions.listening("read"):
                    pass
            with pytest.raises(sessions.BusyError, match="too many"):
                await guard._sessions.admit("other")
        await guard._sessions.admit("other")
        with pytest.raises(KeyError):
            async with guard._sessions.listening("read"):
                pass

    asyncio.run(while_read())


def test_more_calls_than_the_queue_takes_get_a_clean_answer(
    asked: Asked, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(asked.page._queue, "max_size", 0)
    assert call(asked, "s") == 503
    assert "Traceback" not in capfd.readouterr().err
