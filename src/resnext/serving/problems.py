"""All error responses, in one form: a status, a code and a message.

    {"error": {"code": "bad_image", "message": "...", "images": [{"index": 2, ...}]}}

The code is for programs and is stable; the message is for people. Messages repeat nothing that a
caller sent, except numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field
from starlette.responses import JSONResponse


class ImageProblem(BaseModel):
    """What is wrong with one image of a request."""

    index: int = Field(description="Index of the image in the request, from 0.")
    code: str
    message: str


class ProblemBody(BaseModel):
    """Code and message of an error."""

    code: str = Field(description="For programs; see docs/serving.md for the list.")
    message: str = Field(description="For people.")
    images: list[ImageProblem] | None = Field(
        default=None, description="The images that caused the error, if any."
    )


class ProblemAnswer(BaseModel):
    """The body of every 4xx and 5xx response."""

    error: ProblemBody


class HttpError(Exception):
    """A 4xx or 5xx response, raised as an exception."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        images: list[ImageProblem] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Describe the response.

        Args:
            status: The HTTP status.
            code: A code for programs.
            message: A message for people.
            images: The images that caused it.
            headers: Headers of the response, such as Retry-After.
        """
        super().__init__(message)
        self.status = status
        self.code = code
        self.images = images
        self.headers = dict(headers or {})

    def content(self) -> dict[str, Any]:
        """Return the body as JSON values."""
        body = ProblemBody(code=self.code, message=str(self), images=self.images)
        return ProblemAnswer(error=body).model_dump(exclude_none=True)

    def answer(self) -> JSONResponse:
        """Return the response."""
        return JSONResponse(self.content(), self.status, self.headers)


def bad_images(found: list[tuple[int, HttpError]]) -> HttpError:
    """Return one error for all bad images of a request.

    Args:
        found: Index and error of each image, in order.
    """
    _, first = found[0]
    images = [
        ImageProblem(index=index, code=problem.code, message=str(problem))
        for index, problem in found
    ]
    which = ", ".join(str(index) for index, _ in found)
    text = f"image {which}: {first}" if len(found) == 1 else f"images {which} cannot be used"
    return HttpError(first.status, first.code, text, images=images)
