"""The service without HTTP: takes images in, answers them, changes the network, ends."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from resnext.errors import ResNeXtError
from resnext.machine import num_cores
from resnext.serving.admission import Admission, Ticket
from resnext.serving.batcher import Batcher
from resnext.serving.limits import Limits
from resnext.serving.metrics import Metrics
from resnext.serving.model import Guess, Pixels, ServedModel
from resnext.serving.problems import Problem, bad_images
from resnext.serving.upload import read_images

_LOG = logging.getLogger("resnext.serving")
_MOST_DECODERS = 8


class Service:
    """Answers requests with a network that can be changed while it runs.

    Attributes:
        limits: What is accepted.
        metrics: What has happened.
        admission: What is being worked on.
        model: The network that new requests get.
        is_draining: The service is about to end, and wants no new requests.
        reload_error: Why the last reload was refused; empty if it was not.
    """

    def __init__(self, open_model: Callable[[], ServedModel], limits: Limits) -> None:
        """Open the network and try it out.

        Args:
            open_model: Opens it, and opens it anew at each reload.
            limits: What is accepted.

        Raises:
            ResNeXtError: The network cannot be opened, or does not run.
        """
        self.limits = limits
        self.metrics = Metrics()
        self.is_draining = False
        self.reload_error = ""
        self._open_model = open_model
        self._reloading = threading.Lock()
        self.model = self._open()
        self.metrics.name_model(self.model.name)
        self._batcher = Batcher(limits.max_batch, self.metrics)
        self.admission = Admission(limits, self.metrics, lambda: self._batcher.seconds_per_image)
        self._decoders = ThreadPoolExecutor(
            min(_MOST_DECODERS, num_cores()), thread_name_prefix="decode"
        )

    def start(self) -> None:
        """Begin to answer, in the running event loop."""
        self._batcher.start()
        self.metrics.ready.set(1)

    async def stop(self) -> None:
        """End the threads; nothing is answered any more."""
        await self._batcher.stop()
        self._decoders.shutdown(wait=False, cancel_futures=True)

    def drain(self) -> None:
        """Tell the world not to send more; what comes nevertheless is answered."""
        self.is_draining = True
        self.metrics.ready.set(0)

    async def predict(
        self, body: bytes, content_type: str, top: int, ticket: Ticket
    ) -> tuple[str, list[list[Guess]]]:
        """Answer one request.

        Args:
            body: Its body.
            content_type: The form of the body.
            top: Classes for each image.
            ticket: Holds the places of its images.

        Returns:
            The network's name, and the most probable classes of each image, best first.

        Raises:
            Problem: The body, an image or their number is not accepted, or it took too long.
        """
        model, loop = self.model, asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self.limits.answer_timeout_s):
                images = await loop.run_in_executor(
                    self._decoders, read_images, body, content_type, self.limits.images_per_request
                )
                ticket.take_places(len(images))
                prepared = await self._prepare(model, images)
                waiting = [self._batcher.submit(model, pixels) for pixels in prepared]
                rows = await asyncio.gather(*waiting)
        except TimeoutError:
            raise self._too_slow() from None
        return model.name, [model.top(row, top) for row in rows]

    async def _prepare(self, model: ServedModel, images: list[bytes]) -> list[Pixels]:
        loop = asyncio.get_running_loop()
        results = await asyncio.gather(
            *(
                loop.run_in_executor(self._decoders, model.prepare, data, self.limits)
                for data in images
            ),
            return_exceptions=True,
        )
        bad: list[tuple[int, Problem]] = []
        good: list[Pixels] = []
        for index, result in enumerate(results):
            if isinstance(result, Problem):
                bad.append((index, result))
            elif isinstance(result, BaseException):
                raise result
            else:
                good.append(result)
        if bad:
            raise bad_images(bad)
        return good

    def reload(self) -> bool:
        """Open the network anew; only one that was tried out takes over.

        Requests in progress end with the network that they began with. Takes as long as
        opening does, so it is called in a thread.

        Returns:
            Whether it took over; if not, `reload_error` says why and all stays as it was.
        """
        with self._reloading:
            try:
                model = self._open()
            except ResNeXtError as error:
                self.reload_error = str(error)
                _LOG.error("reload refused, the old network stays: %s", error)
                self.metrics.count_reload(is_good=False)
                return False
            self.model = model
            self.reload_error = ""
            self.metrics.count_reload(is_good=True)
            self.metrics.name_model(model.name)
            _LOG.info("reloaded: %s", model.name)
            return True

    def _open(self) -> ServedModel:
        model = self._open_model()
        model.try_out()
        return model

    def _too_slow(self) -> Problem:
        wait = self.admission.retry_after_s()
        return Problem(
            503,
            "too_slow",
            f"no answer within {self.limits.answer_timeout_s:g} s; try again in {wait} s",
            headers={"Retry-After": str(wait)},
        )
