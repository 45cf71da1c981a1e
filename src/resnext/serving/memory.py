"""Memory for decoding images: an image waits until enough is free.

It is not refused: a request may contain many large photos, which then take turns.
"""

from __future__ import annotations

import asyncio
from collections import deque


class MemorySemaphore:
    """Grants memory in the order of the requests; use it in the event loop only.

    Attributes:
        num_bytes: Memory in use.
    """

    def __init__(self, most_bytes: int) -> None:
        """Start with all memory free.

        Args:
            most_bytes: Total memory. An image that needs more gets all of it alone.
        """
        self.num_bytes = 0
        self._most_bytes = most_bytes
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, num_bytes: int) -> None:
        """Wait for memory; the caller must give it back."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((num_bytes, turn))
        self._let_in()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._let_in()  # those behind it may fit
            else:  # it was granted at the same moment
                self.give_back(num_bytes)
            raise

    def give_back(self, num_bytes: int) -> None:
        """Free memory, and grant it to those waiting."""
        self.num_bytes -= num_bytes
        self._let_in()

    def _let_in(self) -> None:
        while self._waiting:
            num_bytes, turn = self._waiting[0]
            if not turn.cancelled():
                if self.num_bytes and self.num_bytes + num_bytes > self._most_bytes:
                    return
                self.num_bytes += num_bytes
                turn.set_result(None)
            self._waiting.popleft()
