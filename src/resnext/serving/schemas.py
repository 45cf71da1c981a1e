"""The responses of the service, as shown in its OpenAPI description."""

from __future__ import annotations

from typing import Any, Union

from pydantic import BaseModel, Field

from resnext.model.signal import SignalInput
from resnext.tasks.kinds import answer_type, task_names

_SCHEMAS = tuple(answer_type(name).schema for name in task_names())


class PredictAnswer(BaseModel):
    """Predictions, in the order of the images in the request."""

    model: str
    precision: str = Field(description="Precision of the arithmetic: fp32, bf16 or int8.")
    images: list[Union[_SCHEMAS]] | None = Field(  # type: ignore[valid-type]  # noqa: UP007 - of a tuple
        default=None, description="Depends on the task of the network."
    )
    signals: list[Union[_SCHEMAS]] | None = Field(  # type: ignore[valid-type]  # noqa: UP007 - of a tuple
        default=None,
        description="Instead of images, for networks that take signals.",
    )


class LimitsAnswer(BaseModel):
    """The limits of one request."""

    max_body_mib: float
    max_images: int
    max_megapixels: float
    formats: list[str]


class SignalAnswer(BaseModel):
    """What a network for signals takes."""

    kind: str = Field(description="series, volume, text, audio or video.")
    in_channels: int
    sides: list[int] = Field(description="Of what the network receives; a series has any length.")

    @classmethod
    def of(cls, signal: SignalInput) -> SignalAnswer:
        """Describe the signals of a network."""
        return cls(kind=signal.kind, in_channels=signal.in_channels, sides=list(signal.sides))


class ModelAnswer(BaseModel):
    """The served network."""

    name: str
    data: str = Field(description="Training data, if known.")
    task: str = Field(description="The network's task, such as classification.")
    classes: list[str]
    in_channels: int
    input: str = Field(description="Input of the exported file; callers send image files.")
    image_size_px: int
    signal: SignalAnswer | None = Field(description="Of a network for signals; else null.")
    precision: str
    format: str
    runtime: str = Field(description="The inference runtime.")
    note: str = Field(description="Why the runtime was chosen, or what bf16 changed.")
    metrics: dict[str, float] = Field(description="Metrics measured before the export.")
    limits: LimitsAnswer
    versions: dict[str, str]
    opened_at: str = Field(description="When the network was opened, UTC.")
    reload_error: str = Field(description="Why the last reload failed; empty if it did not.")


class HealthAnswer(BaseModel):
    """Liveness or readiness of the service."""

    status: str


_FILE = {"type": "string", "format": "binary"}
_BASE64 = {"type": "string", "contentEncoding": "base64"}
_ONE_IN_JSON: dict[str, dict[str, Any]] = {
    "images": _BASE64,
    "recordings": _BASE64,
    "texts": {"type": "string"},
    "arrays": {
        "type": "array",
        "items": {},
        "description": "Numbers, or such a list for each channel; null where one is missing.",
    },
}


def request_body(takes: str) -> dict[str, Any]:
    """Describe the body of a prediction, as OpenAPI does.

    Args:
        takes: What a request holds; see `ServedModel.takes`.
    """
    noun = "images" if takes == "images" else "signals"
    forms = {"multipart/form-data": _FILE, "application/json": _ONE_IN_JSON[takes]}
    if takes == "texts":
        del forms["multipart/form-data"]
    content: dict[str, Any] = {
        form: {
            "schema": {
                "type": "object",
                "required": [noun],
                "additionalProperties": False,
                "properties": {noun: {"type": "array", "items": one, "minItems": 1}},
            }
        }
        for form, one in forms.items()
    }
    if takes in ("arrays", "recordings"):
        content["application/octet-stream"] = {"schema": _FILE}
    return {"required": True, "content": content}
