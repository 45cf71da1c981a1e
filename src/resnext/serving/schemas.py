"""The answers of the service, as its OpenAPI description tells them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class ClassAnswer(BaseModel):
    """One class of an image."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    name: str = Field(alias="class", description="Readable name of the class.")
    probability: float = Field(ge=0, le=1)


class ImageAnswer(BaseModel):
    """What the network sees in one image."""

    predictions: list[ClassAnswer] = Field(description="Most probable first.")


class PredictAnswer(BaseModel):
    """The answer to a prediction, images in the order of the request."""

    model: str
    precision: str = Field(description="Of the arithmetic: fp32, bf16 or int8.")
    images: list[ImageAnswer]


class LimitsAnswer(BaseModel):
    """What one request may hold."""

    max_body_mib: float
    max_images: int
    max_megapixels: float
    formats: list[str]


class ModelAnswer(BaseModel):
    """The network that is served."""

    name: str
    data: str = Field(description="Data set of training, if known.")
    classes: list[str]
    in_channels: int
    input: str = Field(description="What the exported file takes; callers send image files.")
    image_size_px: int
    precision: str
    format: str
    runtime: str = Field(description="What computes.")
    note: str = Field(description="How the runtime was chosen, or what bf16 changed.")
    metrics: dict[str, float] = Field(description="Figures measured before the export.")
    limits: LimitsAnswer
    versions: dict[str, str]
    opened_at: str = Field(description="When the network was opened, UTC.")
    reload_error: str = Field(description="Why the last reload was refused; empty if it was not.")


class HealthAnswer(BaseModel):
    """Whether the service lives, or is ready."""

    status: str
