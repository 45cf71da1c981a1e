"""From texts to rows of token numbers. Works for any script.

Legend: n texts, l tokens of each.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from resnext.errors import DataError
from resnext.model.signal import MAX_SIGNAL_VALUES
from resnext.model.text import (
    MAX_VOCABULARY_CHARS,
    MAX_WORD_CHARS,
    NUM_SPECIAL,
    PADDING,
    UNKNOWN_TOKEN,
    TextInput,
    Unit,
)

if TYPE_CHECKING:
    import torch

MAX_TEXT_CHARS = 20_000
"""What follows in a text is not read."""

_JOINERS = "\u200c\u200d"
"""Invisible, but they decide how letters of some scripts, and emoji, are joined."""

_IDEOGRAPHS = ("CJK UNIFIED", "CJK COMPATIBILITY", "HIRAGANA", "KATAKANA")
_COVERED = 0.99
_ROUNDED_TO = 8
_MAX_LENGTH: dict[Unit, int] = {"word": 512, "character": 1024}


def normalise_text(text: str) -> str:
    """Return a text in NFC on one line, without what acts on a terminal.

    Control characters, line breaks and all kinds of white space become single spaces; invisible
    formatting characters (such as direction marks) are left out, and unpaired surrogates replaced.
    """
    clean = text[:MAX_TEXT_CHARS].translate(_CLEAN)
    return " ".join(unicodedata.normalize("NFC", clean).split())


def split_text(text: str, unit: Unit, *, lower: bool) -> list[str]:
    """Return the tokens of a normalised text.

    Args:
        text: See `normalise_text`.
        unit: See `TextInput`.
        lower: Ignore case.
    """
    if lower:
        text = unicodedata.normalize("NFC", text.lower())
    return list(text) if unit == "character" else text.translate(_WORDS).split()


def build_vocabulary(
    texts: Iterable[str], unit: Unit, *, lower: bool, min_count: int, most: int
) -> TextInput:
    """Collect the most frequent tokens of the training texts.

    Args:
        texts: Normalised.
        unit: See `TextInput`.
        lower: Ignore case.
        min_count: Rarer tokens are left out, so that the vector of unknown tokens is trained.
        most: Entries at most.

    Raises:
        DataError: Nothing is frequent enough.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(split_text(text, unit, lower=lower))
    frequent = [
        (-count, token)
        for token, count in counts.items()
        if count >= min_count and len(token) <= MAX_WORD_CHARS
    ]
    vocabulary: list[str] = []
    room = MAX_VOCABULARY_CHARS
    for _, token in sorted(frequent)[:most]:
        room -= len(token)
        if room < 0:
            break
        vocabulary.append(token)
    if not vocabulary:
        raise DataError(
            f"no {unit} occurs {min_count} times in the training texts; give more texts or set "
            "data.min_count=1"
        )
    return TextInput(unit=unit, lower=lower, vocabulary=tuple(vocabulary))


def choose_length(texts: Sequence[str], text_input: TextInput) -> int:
    """Return the tokens that hold 99 % of the training texts whole, a multiple of 8."""
    unit, lower = text_input.unit, text_input.lower
    lengths = sorted(len(split_text(text, unit, lower=lower)) for text in texts)
    enough = lengths[min(int(_COVERED * len(lengths)), len(lengths) - 1)]
    rounded = -(-max(enough, 1) // _ROUNDED_TO) * _ROUNDED_TO
    return min(rounded, _MAX_LENGTH[unit])


def encode_texts(texts: Sequence[str], text_input: TextInput, length: int) -> torch.Tensor:
    """Number the tokens of texts as a tensor; see `number_tokens`."""
    import torch  # a service has none

    return torch.from_numpy(number_tokens(texts, text_input, length))


def number_tokens(
    texts: Sequence[str], text_input: TextInput, length: int
) -> npt.NDArray[np.int32]:
    """Number the tokens of texts.

    Args:
        texts: Normalised.
        text_input: The vocabulary.
        length: Tokens of every row: of a longer text the first are kept, a shorter one is padded.

    Returns:
        n x 1 x l, int32.

    Raises:
        DataError: The result would be too large.
    """
    if len(texts) * length > MAX_SIGNAL_VALUES:
        raise DataError(
            f"{len(texts):,} texts of {length:,} tokens are more than the {MAX_SIGNAL_VALUES:,} "
            "values accepted; give fewer tokens (--set data.length=N) or fewer texts"
        )
    number = {token: index for index, token in enumerate(text_input.vocabulary, NUM_SPECIAL)}
    tokens_nl = np.full((len(texts), length), PADDING, dtype=np.int32)
    for row, text in enumerate(texts):
        tokens = split_text(text, text_input.unit, lower=text_input.lower)[:length]
        tokens_nl[row, : len(tokens)] = [number.get(token, UNKNOWN_TOKEN) for token in tokens]
    return tokens_nl[:, np.newaxis]


class _Clean(dict[int, str]):
    """Maps a character to itself, a space, or nothing."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        category = unicodedata.category(char)
        if category == "Cs":
            value = "\ufffd"
        elif category in ("Cc", "Zl", "Zp", "Zs"):
            value = " "
        else:
            value = "" if category == "Cf" and char not in _JOINERS else char
        self[code] = value
        return value


class _Words(dict[int, str]):
    """Maps a character to itself, or puts spaces around one that is a word of its own.

    An apostrophe begins a word, so that `don't` is `don` and `'t`.
    """

    def __missing__(self, code: int) -> str:
        char = chr(code)
        is_part = unicodedata.category(char)[0] in "LMN" or char in _JOINERS or char == "_"
        if char in "'\u2019":
            value = " '"
        elif not is_part or unicodedata.name(char, "").startswith(_IDEOGRAPHS):
            value = f" {char} "
        else:
            value = char
        self[code] = value
        return value


_CLEAN, _WORDS = _Clean(), _Words()
