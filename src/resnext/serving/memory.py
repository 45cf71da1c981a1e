"""Memory for images that are decoded: where there is too little, an image waits.

It is not refused: a request may hold many large photographs, which then take turns.
"""

from __future__ import annotations

import asyncio
from collections import deque


class MemorySemaphore:
    """Gives out memory in the order in which it is asked for; used in the event loop only.

    Attributes:
        num_bytes: Memory that is taken.
    """

    def __init__(self, most_bytes: int) -> None:
        """Open an empty one.

        Args:
            most_bytes: All of its memory. An image that needs more has it alone.
        """
        self.num_bytes = 0
        self._most_bytes = most_bytes
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, num_bytes: int) -> None:
        """Wait for memory; whoever got it gives it back."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((num_bytes, turn))
        self._let_in()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._let_in()  # those behind it may be smaller
            else:  # it got its turn at the same moment
                self.give_back(num_bytes)
            raise

    def give_back(self, num_bytes: int) -> None:
        """Free memory, and let in who waits for it."""
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
