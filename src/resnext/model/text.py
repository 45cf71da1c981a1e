"""How a text becomes tokens for a network, as its weight file says it. Needs no torch."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StrictBool, model_validator

from resnext.errors import ConfigError
from resnext.settings import Settings
from resnext.untrusted.names import is_utf8

PADDING, UNKNOWN_TOKEN = 0, 1
"""The first two tokens: behind a short text, and for what the vocabulary does not contain."""

NUM_SPECIAL = 2

MAX_WORD_CHARS = 64
"""Longer words are unknown."""

MAX_VOCABULARY = 200_000
MAX_VOCABULARY_CHARS = 2**21
"""Of all entries together: even with every character escaped they fit a weight file's header."""

Unit = Literal["word", "character"]


class TextInput(Settings):
    """How texts are split and numbered.

    Attributes:
        unit: What a token is: `word` (a run of letters, marks and digits; every other sign, and
            every character of a script without spaces such as Chinese, is a token of its own), or
            `character`.
        lower: Whether upper and lower case are the same.
        vocabulary: The known tokens, the most frequent first. Their numbers start at 2, behind
            those of padding and of unknown tokens.
    """

    unit: Unit
    lower: StrictBool
    vocabulary: Annotated[tuple[str, ...], Field(min_length=1, max_length=MAX_VOCABULARY)]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(set(self.vocabulary)) < len(self.vocabulary):
            raise ConfigError("vocabulary: it contains an entry twice; each must be there once")
        for entry in self.vocabulary:
            if not 1 <= len(entry) <= MAX_WORD_CHARS or not is_utf8(entry):
                raise ConfigError(
                    f"vocabulary: an entry of {len(entry)} characters; accepted are 1 to "
                    f"{MAX_WORD_CHARS} characters of UTF-8"
                )
        if sum(map(len, self.vocabulary)) > MAX_VOCABULARY_CHARS:
            raise ConfigError(
                f"vocabulary: more than {MAX_VOCABULARY_CHARS:,} characters in all; set fewer "
                "entries"
            )
        return self

    @property
    def num_tokens(self) -> int:
        """Different tokens, with those of padding and of unknown ones."""
        return NUM_SPECIAL + len(self.vocabulary)
