"""Admission control: queue slots for images, and memory for request bodies.

While its body arrives, a request is an upload and uses memory for the bytes received. Then it takes
one slot, and one for each image once they are counted. If none is free, the service answers 429
and keeps nothing of the request. This limits both queue time and memory.

If uploads or memory run out, stalled uploads are dropped first: those that received less than
64 KiB in the last second. So slow or stalled callers cannot block others.
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
"""Bodies that may arrive at the same time: far more than is useful, and only a few MiB."""

PROGRESS_BYTES = 64 * 2**10
STALLED_S = 1.0
"""An upload that received less than 64 KiB in this time may be dropped for others."""

_MAX_RETRY_S = 60


class Admission:
    """Queue slots for images and memory for bodies; use it in the event loop only.

    Attributes:
        num_images: Slots in use.
        num_bytes: Memory in use.
    """

    def __init__(
        self,
        limits: Limits,
        metrics: Metrics,
        seconds_per_image: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start with all slots and memory free.

        Args:
            limits: Number of slots, and memory.
            metrics: Reports the slots in use.
            seconds_per_image: Recent time per image.
            clock: Time in seconds, to detect stalled uploads.
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
        """Bodies that are still arriving."""
        return len(self._uploads)

    def enter(self) -> Ticket:
        """Admit a request, so that it can send its body.

        Raises:
            HttpError: 429, the queue is full or there are too many uploads.
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
        """Stop counting a body that has arrived or was dropped."""
        self._uploads.discard(ticket)
        self._metrics.uploads.set(self.num_uploads)

    def check_queue(self) -> None:
        """Check whether an image could be admitted now.

        Raises:
            HttpError: 429, all slots are in use, or the queued images take too long.
        """
        if self.num_images * self._seconds_per_image() > self._limits.max_wait_s:
            raise self._come_back("the queue is too long")
        if self.num_images >= self._limits.queue_images:
            raise self._come_back("the queue is full")

    def take_places(self, num_images: int) -> None:
        """Take slots for images.

        Raises:
            HttpError: 429, too few are free.
        """
        if self.num_images + num_images > self._limits.queue_images:
            raise self._come_back("the queue is full")
        self._set_images(self.num_images + num_images)

    def take_memory(self, num_bytes: int, ticket: Ticket) -> None:
        """Take memory for received bytes, from stalled uploads if necessary.

        Raises:
            HttpError: 429, too little is free.
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
        """Free the slots and memory of an answered request."""
        self._set_images(self.num_images - num_images)
        self.num_bytes -= num_bytes

    def retry_after_s(self) -> int:
        """Estimate the time until the queue is empty, in whole seconds."""
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
    """Slots and memory of one request; leaving the `with` block frees them.

    Attributes:
        num_bytes: Memory that it uses.
        moved_at: When the last 64 KiB of the body were complete; before that, its start.
        on_given_up: Called when a stalled upload is dropped for others.
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
        """Take the slot of one image, once the body has arrived.

        Raises:
            HttpError: 429, all slots are in use, or the queued images take too long.
        """
        self._admission.end_upload(self)
        self._admission.check_queue()
        self.take_places(1)

    def take_places(self, num_images: int) -> None:
        """Hold slots for a total number of images.

        Raises:
            HttpError: 429, too few are free.
        """
        more = num_images - self._num_images
        self._admission.take_places(more)
        self._num_images += more

    def take_memory(self, num_bytes: int) -> None:
        """Take memory for more received bytes.

        Raises:
            HttpError: 408 if this upload was dropped, 429 if too little memory is free.
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
        """Drop an upload for others; its slots and memory are free at once."""
        self._is_given_up = True
        self._give_back()
        self.on_given_up()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Free everything."""
        self._give_back()

    def _give_back(self) -> None:
        self._admission.end_upload(self)
        self._admission.give_back(self._num_images, self.num_bytes)
        self._num_images = self.num_bytes = 0


def upload_too_slow(reason: str) -> HttpError:
    """Return the answer to a body that arrives too slowly; it closes the connection."""
    return HttpError(408, "upload_timeout", reason, headers={"Connection": "close"})
