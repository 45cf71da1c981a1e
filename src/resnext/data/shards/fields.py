"""Types of the fields of a stored index, which is untrusted, and what it says of masks."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    FailFast,
    Field,
    PlainValidator,
    ValidationError,
    model_validator,
)

from resnext.untrusted.names import shown

MAX_TEXT_CHARS = 4096
MAX_MASK_CLASSES = 255


def _check_text(value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT_CHARS:
        raise ValueError(f"{shown(value)} is not a text of at most {MAX_TEXT_CHARS} characters")
    return value


Count = Annotated[int, Field(strict=True, ge=0)]
# Pydantic's own texts have no lone surrogates, which stand for the bytes of odd file names.
Text = Annotated[str, PlainValidator(_check_text)]
Finite = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Level = Annotated[int, Field(strict=True, ge=0, le=255)]
Sha256 = Annotated[str, Field(pattern=r"\A[0-9a-f]{64}\z")]


class Stored(BaseModel):
    """Part of the index; later versions may add fields."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class MaskValues(Stored):
    """What the values of masks mean.

    Attributes:
        values: The value of each class.
        ignored: The value of pixels without a class, or None.
    """

    values: Annotated[tuple[Level, ...], Field(max_length=MAX_MASK_CLASSES), FailFast()]
    ignored: Level | None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(set(self.values)) < len(self.values) or self.ignored in self.values:
            raise ValueError("a value of the masks has two meanings")
        return self


def describe_problem(error: ValidationError) -> str:
    """Describe the first problem and its field, without quoting long values."""
    problem = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(shown(part, 30).strip("'") for part in problem["loc"])
    reason = problem["msg"].removeprefix("Value error, ")
    return f"{field}: {reason}" if field else reason
