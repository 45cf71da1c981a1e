"""How much work the service takes in: places for images, and memory for bodies.

While its body arrives a request is an upload, and takes memory for what has arrived; then it
takes one place, and one for each image once they are counted. If none is free, the answer is "try
again later", and nothing of the request is kept. This bounds the time in the queue and the memory.

Where uploads or memory run out, stalled uploads are given up first: those that brought less than
64 KiB in the last second. So callers that send slowly, or stop, keep nobody else out.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Self

from resnext.serving.limits import Limits
from resnext.serving.metrics import Metrics
from resnext.serving.problems import HttpError

MAX_UPLOADS = 1024
"""Bodies that may be on their way: far more than are of use, and a few MiB of memory."""

PROGRESS_BYTES = 64 * 2**10
STALLED_S = 1.0
"""An upload that brought less than 64 KiB in this time may be given up for others."""

_MAX_RETRY_S = 60


class Admission:
    """Places for images and memory for bodies; used in the event loop only.

    Attributes:
        num_images: Places that are taken.
        num_bytes: Memory that is taken.
    """

    def __init__(
        self,
        limits: Limits,
        metrics: Metrics,
        seconds_per_image: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open an empty house.

        Args:
            limits: How many places, how much memory.
            metrics: Where the places are shown.
            seconds_per_image: Recent time per image.
            clock: Seconds, to tell which uploads stall.
        """
        self.num_images = 0
        self.num_bytes = 0
        self.clock = clock
        self._uploads: set[Ticket] = set()
        self._limits = limits
        self._metrics = metrics
        self._seconds_per_image = seconds_per_image

    @property
    def num_uploads(self) -> int:
        """Bodies that are on their way."""
        return len(self._uploads)

    def enter(self) -> Ticket:
        """Let a request send its body.

        Raises:
            HttpError: 429, there would be no place for its images now, or too many send theirs.
        """
        self.check_queue()
        if self.num_uploads == MAX_UPLOADS:
            stalled = self._stalled()
            if not stalled:
                raise self._come_back("too many uploads at once")
            min(stalled, key=lambda upload: upload.moved_at).give_up()
        ticket = Ticket(self)
        self._uploads.add(ticket)
        self._metrics.uploads.set(self.num_uploads)
        return ticket

    def end_upload(self, ticket: Ticket) -> None:
        """Count a body that is there, or given up, no longer."""
        self._uploads.discard(ticket)
        self._metrics.uploads.set(self.num_uploads)

    def check_queue(self) -> None:
        """Tell whether an image would be taken now.

        Raises:
            HttpError: 429, all places are taken, or the images inside take too long.
        """
        if self.num_images * self._seconds_per_image() > self._limits.max_wait_s:
            raise self._come_back("too many are waiting")
        if self.num_images >= self._limits.queue_images:
            raise self._come_back("the queue is full")

    def take_places(self, num_images: int) -> None:
        """Take places for images.

        Raises:
            HttpError: 429, there are not as many.
        """
        if self.num_images + num_images > self._limits.queue_images:
            raise self._come_back("the queue is full")
        self._set_images(self.num_images + num_images)

    def take_memory(self, num_bytes: int, ticket: Ticket) -> None:
        """Take memory for what arrived of a body, where needed that of stalled uploads.

        Raises:
            HttpError: 429, there is not as much.
        """
        allowed = max(self._limits.max_memory_mib * 2**20, self._limits.max_body_bytes)
        while self.num_bytes + num_bytes > allowed:
            stalled = [upload for upload in self._stalled() if upload is not ticket]
            largest = max(stalled, key=lambda upload: upload.num_bytes, default=None)
            if largest is None or largest.num_bytes == 0:
                raise self._come_back("too many uploads at once")
            largest.give_up()
        self.num_bytes += num_bytes

    def give_back(self, num_images: int, num_bytes: int) -> None:
        """Free what an answered request held."""
        self._set_images(self.num_images - num_images)
        self.num_bytes -= num_bytes

    def retry_after_s(self) -> int:
        """Estimate when the queue will have been worked off, in whole seconds."""
        seconds = self.num_images * self._seconds_per_image()
        return min(max(math.ceil(seconds), 1), _MAX_RETRY_S)

    def _set_images(self, num_images: int) -> None:
        self.num_images = num_images
        self._metrics.queue_images.set(num_images)

    def _stalled(self) -> list[Ticket]:
        latest = self.clock() - STALLED_S
        return [upload for upload in self._uploads if upload.moved_at <= latest]

    def _come_back(self, reason: str) -> HttpError:
        wait = self.retry_after_s()
        return HttpError(
            429,
            "overloaded",
            f"{reason}; try again in {wait} s",
            headers={"Retry-After": str(wait)},
        )


class Ticket:
    """What one request holds; leaving the `with` block gives it back.

    Attributes:
        num_bytes: Memory that it takes.
        moved_at: When the last 64 KiB of the body were complete; before that, its begin.
        on_given_up: Called when others need what a stalled upload holds.
    """

    def __init__(self, admission: Admission) -> None:
        self.num_bytes = 0
        self.moved_at = admission.clock()
        self.on_given_up: Callable[[], None] = lambda: None
        self._admission = admission
        self._num_images = 0
        self._num_unmoved_bytes = 0
        self._is_given_up = False

    def join_queue(self) -> None:
        """Take the place of one image, now that the body is there.

        Raises:
            HttpError: 429, all places are taken, or the images inside take too long.
        """
        self._admission.end_upload(self)
        self._admission.check_queue()
        self.take_places(1)

    def take_places(self, num_images: int) -> None:
        """Hold places for so many images in all.

        Raises:
            HttpError: 429, they are not there.
        """
        more = num_images - self._num_images
        self._admission.take_places(more)
        self._num_images += more

    def take_memory(self, num_bytes: int) -> None:
        """Hold so many bytes more, which have arrived.

        Raises:
            HttpError: 408 this upload was given up, 429 the memory is not there.
        """
        if self._is_given_up:
            raise upload_too_slow("the body stalled while others needed its memory")
        self._admission.take_memory(num_bytes, self)
        self.num_bytes += num_bytes
        self._num_unmoved_bytes += num_bytes
        if self._num_unmoved_bytes >= PROGRESS_BYTES:
            self._num_unmoved_bytes = 0
            self.moved_at = self._admission.clock()

    def give_up(self) -> None:
        """Give an upload up for others; what it held counts as free at once."""
        self._is_given_up = True
        self._give_back()
        self.on_given_up()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Give all back."""
        self._give_back()

    def _give_back(self) -> None:
        self._admission.end_upload(self)
        self._admission.give_back(self._num_images, self.num_bytes)
        self._num_images = self.num_bytes = 0


def upload_too_slow(reason: str) -> HttpError:
    """Return the answer to a body that arrives too slowly; it ends the connection, not read on."""
    return HttpError(408, "upload_timeout", reason, headers={"Connection": "close"})
