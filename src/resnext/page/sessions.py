"""Limits on what the page's queue holds for its callers.

gradio keeps the answer to a call until it is read, for as long as the process runs. A caller that
never reads would fill the memory.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

MAX_SESSIONS = 256
MAX_UNREAD = 256
"""Unread answers of all sessions together."""

MAX_UNREAD_OF_ONE = 16
_ABANDONED_S = 60.0
_STREAM_ENDS_S = 2.0


class BusyError(RuntimeError):
    """The queue is full; the message is shown to the caller."""


@dataclass
class _Session:
    used_at: float = 0.0
    stream: asyncio.Lock = field(default_factory=asyncio.Lock)


class Sessions:
    """Admits calls, and drops sessions without a reader."""

    def __init__(self, page: gr.Blocks) -> None:
        """Limit the queue of a page."""
        self._page = page
        self._sessions: dict[str, _Session] = {}  # ordered by last use

    async def admit(self, name: str) -> None:
        """Admit one more call from a session.

        Raises:
            BusyError: It has too many calls in progress, or all sessions together have.
        """
        if len(self._unread().get(name, ())) >= MAX_UNREAD_OF_ONE:
            raise BusyError("too many calls of this page are in progress; try again")
        await self._forget_abandoned(name)
        self._use(name)

    @asynccontextmanager
    async def listening(self, name: str) -> AsyncIterator[None]:
        """Hold a session open while its answers are read, by one reader at a time.

        Raises:
            KeyError: There is no such session.
            BusyError: Another reader is active.
        """
        session = self._sessions[name]
        if name not in self._queue().pending_messages_per_session:
            raise KeyError(name)
        try:
            # the page may open its next stream while the last one is still closing
            async with asyncio.timeout(_STREAM_ENDS_S):
                await session.stream.acquire()
        except TimeoutError:
            raise BusyError("another reader is reading the answers of this session") from None
        try:
            yield
        finally:
            session.stream.release()
            if name in self._sessions:
                self._use(name)

    def _queue(self) -> Any:
        return self._page._queue

    def _unread(self) -> dict[str, set[str]]:
        unread: dict[str, set[str]] = self._queue().pending_event_ids_session
        return unread

    def _use(self, name: str) -> None:
        session = self._sessions.pop(name, None) or _Session()
        session.used_at = time.monotonic()
        self._sessions[name] = session

    async def _forget_abandoned(self, wanted: str) -> None:
        """Drop sessions without a reader: old ones first, then as many as needed."""
        for name, session in list(self._sessions.items()):
            is_old = time.monotonic() - session.used_at > _ABANDONED_S
            if not (is_old or self._is_full(wanted)):
                return
            if not session.stream.locked() and name != wanted:
                await self._forget(name)
        if self._is_full(wanted):
            raise BusyError("too many people are using the page; try again in a minute")

    def _is_full(self, wanted: str) -> bool:
        num_others = len(self._sessions) - (wanted in self._sessions)
        num_unread = sum(map(len, self._unread().values()))
        return num_others >= MAX_SESSIONS or num_unread >= MAX_UNREAD

    async def _forget(self, name: str) -> None:
        del self._sessions[name]
        queue = self._queue()
        await queue.clean_events(session_hash=name)
        queue.pending_event_ids_session.pop(name, None)
        queue.pending_messages_per_session.pop(name, None)
