"""What the service accepts, as one group of settings."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from resnext.data.decode import image_limits
from resnext.settings import Settings

Format = Literal["avif", "bmp", "gif", "jpeg", "png", "ppm", "tiff", "webp"]
_ALL: tuple[Format, ...] = ("avif", "bmp", "gif", "jpeg", "png", "ppm", "tiff", "webp")
FORMATS = tuple(name for name in _ALL if name.upper() in image_limits.FORMATS)
"""Those that can be read here: AVIF takes a Pillow that was built with it."""


class Limits(Settings):
    """Bounds on what one request, and all of them together, may use.

    Attributes:
        max_body_mib: Size of a request's body.
        max_images: Images of one request.
        max_megapixels: Size of an image, from its header, before anything is decoded.
        formats: Image formats; the content decides, not a name or a content type.
        queue_images: Images that may be waiting or worked on, of all requests together; further
            requests get 429.
        max_wait_s: Maximum queue time, estimated from recent throughput; above it, requests get
            429. It limits the queue of a slow network.
        max_memory_mib: Bodies held at once, of all requests together.
        max_decode_mib: Memory for images that are decoded at once, of all requests together; an
            image waits for it, and one that needs more is decoded alone.
        max_batch: Images that go through the network together.
        upload_timeout_s: Time for a body to arrive.
        answer_timeout_s: Time from a whole body to its answer.
    """

    max_body_mib: Annotated[float, Field(gt=0)] = 32.0
    max_images: Annotated[int, Field(ge=1)] = 32
    max_megapixels: Annotated[float, Field(gt=0, le=128)] = 50.0
    formats: Annotated[tuple[Format, ...], Field(min_length=1)] = FORMATS
    queue_images: Annotated[int, Field(ge=1)] = 64
    max_wait_s: Annotated[float, Field(gt=0)] = 2.0
    max_memory_mib: Annotated[float, Field(gt=0)] = 256.0
    max_decode_mib: Annotated[float, Field(gt=0)] = 512.0
    max_batch: Annotated[int, Field(ge=1)] = 8
    upload_timeout_s: Annotated[float, Field(gt=0)] = 30.0
    answer_timeout_s: Annotated[float, Field(gt=0)] = 60.0

    @property
    def max_body_bytes(self) -> int:
        """The largest body."""
        return int(self.max_body_mib * 2**20)

    @property
    def max_decode_bytes(self) -> int:
        """Memory for images that are decoded."""
        return int(self.max_decode_mib * 2**20)

    @property
    def images_per_request(self) -> int:
        """The most images that a request may hold: more than the queue could never be taken."""
        return min(self.max_images, self.queue_images)
