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
    signals: list[ImageProblem] | None = Field(
        default=None, description="The signals at fault, of a network that takes signals."
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
        noun: str = "images",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Describe the response.

        Args:
            status: The HTTP status.
            code: A code for programs.
            message: A message for people.
            images: The images or signals that caused it.
            noun: Which of the two they are.
            headers: Headers of the response, such as Retry-After.
        """
        super().__init__(message)
        self.status = status
        self.code = code
        self.images, self.noun = images, noun
        self.headers = dict(headers or {})

    def content(self) -> dict[str, Any]:
        """Return the body as JSON values."""
        faults = {} if self.images is None else {self.noun: self.images}
        body = ProblemBody(code=self.code, message=str(self), **faults)
        return ProblemAnswer(error=body).model_dump(exclude_none=True)

    def answer(self) -> JSONResponse:
        """Return the response."""
        return JSONResponse(self.content(), self.status, self.headers)


def bad_images(found: list[tuple[int, HttpError]], noun: str = "images") -> HttpError:
    """Return one error for all bad images or signals of a request.

    Args:
        found: Index and error of each, in order.
        noun: What they are: images or signals.
    """
    _, first = found[0]
    images = [
        ImageProblem(index=index, code=problem.code, message=str(problem))
        for index, problem in found
    ]
    which = ", ".join(str(index) for index, _ in found)
    one = noun.removesuffix("s")
    text = f"{one} {which}: {first}" if len(found) == 1 else f"{noun} {which} cannot be used"
    return HttpError(first.status, first.code, text, images=images, noun=noun)
