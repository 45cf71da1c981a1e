"""Collects images of several requests into batches.

No image waits for a batch to fill: a batch is whatever arrived while the previous one ran. So a
single request is answered at once, and under load batches fill up.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from resnext.runtimes.exported import Array
from resnext.serving.metrics import Metrics
from resnext.serving.model import Outputs, ServedModel


@dataclass(frozen=True, eq=False)
class _Item:
    """One waiting image, with the network that it was prepared for."""

    model: ServedModel
    pixels: Array
    answer: asyncio.Future[Outputs]


class Batcher:
    """Runs batches one after another in a thread, so that the event loop never blocks.

    Attributes:
        seconds_per_image: Recent time per image; 0 before the first.
    """

    def __init__(self, max_batch: int, metrics: Metrics) -> None:
        """Set up; `start` starts the batches.

        Args:
            max_batch: Maximum images in a batch.
            metrics: Counts the batches.
        """
        self.seconds_per_image = 0.0
        self._max_batch = max_batch
        self._metrics = metrics
        self._waiting: deque[_Item] = deque()
        self._arrived = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="network")
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start to run batches in the running event loop."""
        self._task = asyncio.get_running_loop().create_task(self._run_batches())

    async def stop(self) -> None:
        """Stop; images still waiting are dropped."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for item in self._waiting:
            item.answer.cancel()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def submit(self, model: ServedModel, pixels: Array) -> asyncio.Future[Outputs]:
        """Queue one image; cancelling the future removes it.

        Returns:
            A future of what `ServedModel.run` returns for the image.
        """
        answer: asyncio.Future[Outputs] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Item(model, pixels, answer))
        self._arrived.set()
        return answer

    async def _run_batches(self) -> None:
        while True:
            await self._arrived.wait()
            batch = self._take()
            if batch:
                await self._run(batch)
            else:
                self._arrived.clear()

    def _take(self) -> list[_Item]:
        """Take the images at the front of the queue that share a network."""
        batch: list[_Item] = []
        while self._waiting and len(batch) < self._max_batch:
            item = self._waiting[0]
            if batch and (item.model is not batch[0].model or not item.model.is_batched):
                break
            self._waiting.popleft()
            if not item.answer.done():  # its request was dropped
                batch.append(item)
        return batch

    async def _run(self, batch: Sequence[_Item]) -> None:
        loop = asyncio.get_running_loop()
        start = time.perf_counter()
        try:
            images = [item.pixels for item in batch]
            logits = await loop.run_in_executor(self._thread, batch[0].model.run, images)
        # An error of the runtime fails these requests only; the next batch must still run.
        except Exception as error:
            _tell(batch, error)
            return
        seconds = time.perf_counter() - start
        self._metrics.count_batch(len(batch), seconds)
        latest = seconds / len(batch)
        before = self.seconds_per_image or latest
        self.seconds_per_image = 0.8 * before + 0.2 * latest
        for item, row in zip(batch, logits, strict=True):
            if not item.answer.done():
                item.answer.set_result(row)


def _tell(batch: Sequence[_Item], error: Exception) -> None:
    for item in batch:
        if not item.answer.done():
            item.answer.set_exception(error)
