"""The size of a network's embedding. Needs no torch."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from resnext.model.choices import MAX_SIZE
from resnext.settings import Settings, Whole


class EmbeddingConfig(Settings):
    """A learned vector for each token of a text, in front of a network of one dimension.

    Attributes:
        num_tokens: Different tokens, with those of padding and of unknown ones.
        width: Numbers of a vector: channels that the first convolution sees.
    """

    num_tokens: Annotated[Whole, Field(ge=3, le=MAX_SIZE)] = 3
    width: Annotated[Whole, Field(ge=1, le=8192)] = 128
