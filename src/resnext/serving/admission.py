"""How much work the service takes in: places for images, and memory for bodies.

While its body arrives a request is an upload, and takes memory alone; then it takes one place,
and one for each image once they are counted. Where there is none the caller is told to come
back, and nothing of the request is kept. So the time in the queue and the memory are bounded,
whatever arrives, and callers that are slow to send keep nobody else waiting.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import TracebackType
from typing import Self

from resnext.serving.limits import Limits
from resnext.serving.metrics import Metrics
from resnext.serving.problems import Problem

_LONGEST_RETRY_S = 60
_MOST_UPLOADS = 1024
"""Bodies that may be on their way: far more than are of use, and a few MiB of memory."""


class Admission:
    """Places for images and memory for bodies; used in the event loop only.

    Attributes:
        num_images: Places that are taken.
        num_bytes: Memory that is taken.
        num_uploads: Bodies that are on their way.
    """

    def __init__(
        self, limits: Limits, metrics: Metrics, seconds_per_image: Callable[[], float]
    ) -> None:
        """Open an empty house.

        Args:
            limits: How many places, how much memory.
            metrics: Where the places are shown.
            seconds_per_image: What an image takes of late.
        """
        self.num_images = 0
        self.num_bytes = 0
        self.num_uploads = 0
        self._limits = limits
        self._metrics = metrics
        self._seconds_per_image = seconds_per_image

    def enter(self) -> Ticket:
        """Let a request send its body.

        Raises:
            Problem: 429, there would be no place for its images now, or too many send theirs.
        """
        self.check_queue()
        if self.num_uploads == _MOST_UPLOADS:
            raise self._come_back("too many uploads at once")
        self._set_uploads(self.num_uploads + 1)
        return Ticket(self)

    def end_upload(self) -> None:
        """Count a body that is there, or given up, no longer."""
        self._set_uploads(self.num_uploads - 1)

    def check_queue(self) -> None:
        """Tell whether an image would be taken now.

        Raises:
            Problem: 429, all places are taken, or the images inside take too long.
        """
        if self.num_images * self._seconds_per_image() > self._limits.max_wait_s:
            raise self._come_back("too many are waiting")
        if self.num_images >= self._limits.queue_images:
            raise self._come_back("the queue is full")

    def take_places(self, num_images: int) -> None:
        """Take places for images.

        Raises:
            Problem: 429, there are not as many.
        """
        if self.num_images + num_images > self._limits.queue_images:
            raise self._come_back("the queue is full")
        self._set_images(self.num_images + num_images)

    def take_memory(self, num_bytes: int) -> None:
        """Take memory for a body.

        Raises:
            Problem: 429, there is not as much.
        """
        allowed = max(self._limits.max_memory_mib * 2**20, self._limits.max_body_bytes)
        if self.num_bytes + num_bytes > allowed:
            raise self._come_back("too many uploads at once")
        self.num_bytes += num_bytes

    def give_back(self, num_images: int, num_bytes: int) -> None:
        """Free what an answered request held."""
        self._set_images(self.num_images - num_images)
        self.num_bytes -= num_bytes

    def retry_after_s(self) -> int:
        """Estimate when the queue will have been worked off, in whole seconds."""
        seconds = self.num_images * self._seconds_per_image()
        return min(max(math.ceil(seconds), 1), _LONGEST_RETRY_S)

    def _set_images(self, num_images: int) -> None:
        self.num_images = num_images
        self._metrics.queue_images.set(num_images)

    def _set_uploads(self, num_uploads: int) -> None:
        self.num_uploads = num_uploads
        self._metrics.uploads.set(num_uploads)

    def _come_back(self, reason: str) -> Problem:
        wait = self.retry_after_s()
        return Problem(
            429,
            "overloaded",
            f"{reason}; try again in {wait} s",
            headers={"Retry-After": str(wait)},
        )


class Ticket:
    """What one request holds; leaving the `with` block gives it back."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._is_upload = True
        self._num_images = 0
        self._num_bytes = 0

    def join_queue(self) -> None:
        """Take the place of one image, now that the body is there.

        Raises:
            Problem: 429, all places are taken, or the images inside take too long.
        """
        self._end_upload()
        self._admission.check_queue()
        self.take_places(1)

    def take_places(self, num_images: int) -> None:
        """Hold places for so many images in all.

        Raises:
            Problem: 429, they are not there.
        """
        more = num_images - self._num_images
        self._admission.take_places(more)
        self._num_images += more

    def take_memory(self, num_bytes: int) -> None:
        """Hold so many bytes more.

        Raises:
            Problem: 429, they are not there.
        """
        self._admission.take_memory(num_bytes)
        self._num_bytes += num_bytes

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give all back."""
        self._end_upload()
        self._admission.give_back(self._num_images, self._num_bytes)

    def _end_upload(self) -> None:
        if self._is_upload:
            self._is_upload = False
            self._admission.end_upload()
