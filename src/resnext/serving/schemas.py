"""The responses of the service, as shown in its OpenAPI description."""

from __future__ import annotations

from typing import Union

from pydantic import BaseModel, Field

from resnext.tasks.kinds import answer_type, task_names

_SCHEMAS = tuple(answer_type(name).schema for name in task_names())


class PredictAnswer(BaseModel):
    """Predictions, in the order of the images in the request."""

    model: str
    precision: str = Field(description="Precision of the arithmetic: fp32, bf16 or int8.")
    images: list[Union[_SCHEMAS]] = Field(  # type: ignore[valid-type]  # noqa: UP007 - of a tuple
        description="Depends on the task of the network."
    )


class LimitsAnswer(BaseModel):
    """The limits of one request."""

    max_body_mib: float
    max_images: int
    max_megapixels: float
    formats: list[str]


class ModelAnswer(BaseModel):
    """The served network."""

    name: str
    data: str = Field(description="Training data, if known.")
    task: str = Field(description="The network's task, such as classification.")
    classes: list[str]
    in_channels: int
    input: str = Field(description="Input of the exported file; callers send image files.")
    image_size_px: int
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
