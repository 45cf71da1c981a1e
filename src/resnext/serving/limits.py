"""The limits of the service, as one group of settings."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from resnext.data.decode import image_limits
from resnext.settings import Settings

Format = Literal["avif", "bmp", "gif", "jpeg", "png", "ppm", "tiff", "webp"]
_ALL: tuple[Format, ...] = ("avif", "bmp", "gif", "jpeg", "png", "ppm", "tiff", "webp")
FORMATS = tuple(name for name in _ALL if name.upper() in image_limits.FORMATS)
"""The formats that can be read here; AVIF needs a Pillow built with it."""


class Limits(Settings):
    """Limits for each request and for all requests together.

    Attributes:
        max_body_mib: Size of a request body.
        max_images: Images in one request.
        max_megapixels: Size of an image, read from its header before decoding.
        formats: Image formats, recognised by content, not by name or content type.
        queue_images: Images waiting or in progress, of all requests together; further requests
            get 429.
        max_wait_s: Maximum queue time, estimated from recent throughput; above it, requests get
            429. It limits the queue of a slow network.
        max_memory_mib: Memory for the bodies of all requests together.
        max_decode_mib: Memory for decoding the images of all requests together; images wait for
            it, and one that needs more is decoded alone.
        max_batch: Maximum images in a batch.
        upload_timeout_s: Time for a body to arrive.
        answer_timeout_s: Time from a complete body to its answer.
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
        """Maximum size of a body."""
        return int(self.max_body_mib * 2**20)

    @property
    def max_decode_bytes(self) -> int:
        """Memory for decoding images."""
        return int(self.max_decode_mib * 2**20)

    @property
    def images_per_request(self) -> int:
        """Maximum images in a request; never more than the queue could hold."""
        return min(self.max_images, self.queue_images)
