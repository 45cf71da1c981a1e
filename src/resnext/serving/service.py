"""The service without HTTP: admits images or signals, predicts, reloads the network, shuts down."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from resnext.errors import ResNeXtError
from resnext.machine import num_cores
from resnext.runtimes.exported import Array
from resnext.serving.admission import Admission, Ticket
from resnext.serving.batcher import Batcher
from resnext.serving.limits import Limits
from resnext.serving.memory import MemorySemaphore
from resnext.serving.metrics import Metrics
from resnext.serving.model import Outputs, ServedModel
from resnext.serving.problems import HttpError, bad_images
from resnext.serving.signals import Upload
from resnext.tasks.answer import Answer

T = TypeVar("T")

_LOG = logging.getLogger("resnext.serving")
_MAX_DECODERS = 8


class Service:
    """Answers requests with a network that can be replaced while it runs.

    Attributes:
        limits: The limits of requests.
        metrics: The metrics.
        admission: Queue slots and memory for bodies.
        room: Memory for decoding images.
        model: The network for new requests.
        is_draining: The service is shutting down and wants no new requests.
        num_cut_off: Requests that the shutdown left unanswered.
        reload_error: Why the last reload failed; empty if it did not.
    """

    def __init__(
        self,
        open_model: Callable[[], ServedModel],
        limits: Limits,
        *,
        threads: int | None = None,
    ) -> None:
        """Open the network and test it.

        Args:
            open_model: Opens the network, initially and at each reload.
            limits: The limits of requests.
            threads: Images decoded at once, at most 8; by default the number of cores, which may
                exceed the share of a container.

        Raises:
            ResNeXtError: The network cannot be opened, or fails to run.
        """
        self.limits = limits
        self.metrics = Metrics()
        self.is_draining = False
        self.num_cut_off = 0
        self.reload_error = ""
        self._open_model = open_model
        self._reloading = threading.Lock()
        self.model = self._open()
        self.metrics.name_model(self.model.name)
        self._batcher = Batcher(limits.max_batch, self.metrics)
        self.admission = Admission(limits, self.metrics, lambda: self._batcher.seconds_per_image)
        self.room = MemorySemaphore(limits.max_decode_bytes)
        self._decoders = ThreadPoolExecutor(
            min(_MAX_DECODERS, threads or num_cores()), thread_name_prefix="decode"
        )

    def start(self) -> None:
        """Start to answer, in the running event loop."""
        self._batcher.start()
        self.metrics.ready.set(1)

    async def stop(self) -> None:
        """Stop the threads; no more requests are answered."""
        await self._batcher.stop()
        self._decoders.shutdown(wait=False, cancel_futures=True)

    def drain(self) -> None:
        """Report that the service is not ready; requests are still answered."""
        self.is_draining = True
        self.metrics.ready.set(0)

    async def predict(
        self,
        body: bytes,
        content_type: str,
        ticket: Ticket,
        top: int | None = None,
        min_score: float | None = None,
    ) -> tuple[ServedModel, list[Answer]]:
        """Answer one request.

        Args:
            body: Its body.
            content_type: Its content type.
            ticket: Holds the slots of its images.
            top: Number of classes or objects for each image; None is the usual number.
            min_score: Objects with lower scores are left out; None is the usual limit.

        Returns:
            The network, and its answer for each image.

        Raises:
            HttpError: The body, an image or the number of images is refused, or time ran out.
        """
        model, loop = self.model, asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self.limits.answer_timeout_s):
                images = await loop.run_in_executor(
                    self._decoders, model.read, body, content_type, self.limits.images_per_request
                )
                ticket.take_places(len(images))
                rows = await self._outputs(model, images)
        except TimeoutError:
            raise self._too_slow() from None
        return model, [model.answer(row, top, min_score) for row in rows]

    async def _outputs(self, model: ServedModel, images: Sequence[Upload]) -> list[Outputs]:
        """Run images through the network; one bad image fails all."""
        if not model.is_batched:
            return await _all_good([self._run_whole(model, data) for data in images], model.noun)
        prepared = await _all_good([self._prepare(model, data) for data in images], model.noun)
        return await asyncio.gather(*(self._batcher.submit(model, pixels) for pixels in prepared))

    async def _prepare(self, model: ServedModel, data: Upload) -> Array:
        async with self._decoded(model, data) as pixels:
            return pixels

    async def _run_whole(self, model: ServedModel, data: Upload) -> Outputs:
        """Run one image at its own size, which may be large: it holds its memory until then."""
        async with self._decoded(model, data) as pixels:
            return await self._batcher.submit(model, pixels)

    @contextlib.asynccontextmanager
    async def _decoded(self, model: ServedModel, data: Upload) -> AsyncIterator[Array]:
        """Decode an image once memory is free; leaving the block frees the memory."""
        loop = asyncio.get_running_loop()
        limits = model.bound(self.limits)
        num_bytes = await loop.run_in_executor(self._decoders, model.judge, data, limits)
        await self.room.take(num_bytes)
        work = self._decoders.submit(model.decode, data)
        try:
            yield await asyncio.wrap_future(work)
        finally:
            # A decoding thread cannot be stopped: its memory is free when it has ended.
            work.add_done_callback(lambda _: self._give_back(loop, num_bytes))

    def _give_back(self, loop: asyncio.AbstractEventLoop, num_bytes: int) -> None:
        with contextlib.suppress(RuntimeError):  # the event loop has ended, and the service with it
            loop.call_soon_threadsafe(self.room.give_back, num_bytes)

    def reload(self) -> bool:
        """Reload the network; it is only used after a trial run.

        Requests in progress finish with the network they started with. Reloading takes as long
        as opening, so call it in a thread.

        Returns:
            Whether the new network is in use; if not, `reload_error` says why.
        """
        with self._reloading:
            try:
                model = self._open()
            except ResNeXtError as error:
                _LOG.error("reload refused, the old network stays: %s", error)
                return self._refuse(str(error))
            except Exception as error:  # a bug must not end the service
                _LOG.exception("reload failed, the old network stays")
                return self._refuse(f"{type(error).__name__}: {error}")
            self.model = model
            self.reload_error = ""
            self.metrics.count_reload(is_good=True)
            self.metrics.name_model(model.name)
            _LOG.info("reloaded: %s", model.name)
            return True

    def _refuse(self, reason: str) -> bool:
        self.reload_error = reason
        self.metrics.count_reload(is_good=False)
        return False

    def _open(self) -> ServedModel:
        model = self._open_model()
        model.try_out()
        return model

    def _too_slow(self) -> HttpError:
        wait = self.admission.retry_after_s()
        return HttpError(
            503,
            "too_slow",
            f"no answer within {self.limits.answer_timeout_s:g} s; try again in {wait} s",
            headers={"Retry-After": str(wait)},
        )


async def _all_good(works: list[Coroutine[Any, Any, T]], noun: str) -> list[T]:
    """Await the work on all images of a request.

    Raises:
        HttpError: Some images are bad; it lists all of them.
    """
    results = await asyncio.gather(*works, return_exceptions=True)
    bad: list[tuple[int, HttpError]] = []
    good: list[T] = []
    for index, result in enumerate(results):
        if isinstance(result, HttpError):
            bad.append((index, result))
        elif isinstance(result, BaseException):
            raise result
        else:
            good.append(result)
    if bad:
        raise bad_images(bad, noun)
    return good
