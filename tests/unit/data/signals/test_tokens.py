from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnext.data.signals.tokens import (
    MAX_TEXT_CHARS,
    build_vocabulary,
    choose_length,
    encode_texts,
    normalise_text,
    split_text,
)
from resnext.errors import DataError
from resnext.model.text import TextInput

WORDS = TextInput(unit="word", lower=True, vocabulary=("who", "?", "is"))


@pytest.mark.parametrize(
    ("given_text", "wanted"),
    [
        ("  two\t\n words\r\n", "two words"),
        ("cafe\u0301", "caf\u00e9"),
        ("a\x1b[31mred\x07", "a [31mred"),
        ("left\u202eright\u200b", "leftright"),
        ("x\ud800y", "x\ufffdy"),
        ("\u00a0\u3000", ""),
        ("\u0646\u0645\u06cc\u200c\u062e", "\u0646\u0645\u06cc\u200c\u062e"),
    ],
)
def test_a_text_is_one_clean_line_in_nfc(given_text: str, wanted: str) -> None:
    assert normalise_text(given_text) == wanted


@given(st.text())
def test_a_normalised_text_has_nothing_that_acts_and_stays_the_same(text: str) -> None:
    clean = normalise_text(text)
    assert not {unicodedata.category(char) for char in clean} & {"Cc", "Cs", "Zl", "Zp"}
    assert unicodedata.is_normalized("NFC", clean)
    assert normalise_text(clean) == clean


def test_what_follows_the_longest_text_is_not_read() -> None:
    assert len(normalise_text("x" * (MAX_TEXT_CHARS + 5))) == MAX_TEXT_CHARS


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Who's there? I don't know!", ["who", "'s", "there", "?", "i", "don", "'t", "know", "!"]),
        ("3.5 % of snake_case", ["3", ".", "5", "%", "of", "snake_case"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("東京はどこ", ["東", "京", "は", "ど", "こ"]),
        ("Грузия-Ελλάδα", ["грузия", "-", "ελλάδα"]),
        ("so 👍🏽 good", ["so", "👍", "🏽", "good"]),
    ],
)
def test_words_of_any_script(text: str, words: list[str]) -> None:
    assert split_text(normalise_text(text), "word", lower=True) == words


def test_characters_are_those_of_the_text() -> None:
    assert split_text("Ab c", "character", lower=False) == ["A", "b", " ", "c"]
    assert split_text("Ab c", "character", lower=True) == ["a", "b", " ", "c"]


def test_the_vocabulary_is_the_most_frequent_first_and_then_by_letters() -> None:
    texts = ["b a c", "b a", "b d"]
    found = build_vocabulary(texts, "word", lower=True, min_count=1, most=10)
    assert found.vocabulary == ("b", "a", "c", "d")
    assert found.num_tokens == 6
    assert build_vocabulary(texts, "word", lower=True, min_count=2, most=10).vocabulary == (
        "b",
        "a",
    )
    assert build_vocabulary(texts, "word", lower=True, min_count=1, most=1).vocabulary == ("b",)
    with pytest.raises(DataError, match=r"data\.min_count=1"):
        build_vocabulary(texts, "word", lower=True, min_count=9, most=10)


def test_a_word_that_is_too_long_is_unknown() -> None:
    texts = ["x" * 65, "x" * 65, "y y"]
    assert build_vocabulary(texts, "word", lower=True, min_count=2, most=9).vocabulary == ("y",)


def test_texts_are_numbered_padded_and_cut() -> None:
    tokens = encode_texts(["Who is Bob?", "is"], WORDS, 3)
    assert tokens.shape == (2, 1, 3)
    # 2, 3, 4 are the vocabulary; 1 is unknown and 0 is padding
    assert tokens[:, 0].tolist() == [[2, 4, 1], [4, 0, 0]]


def test_too_many_tokens_are_refused() -> None:
    with pytest.raises(DataError, match=r"data\.length=N"):
        encode_texts(["a"] * 300, WORDS, 2**20)


def test_the_length_holds_all_but_the_longest_texts() -> None:
    texts = ["is " * 9] * 99 + ["is " * 500]
    assert choose_length(texts, WORDS) == 504  # the hundredth of a hundred is the longest
    assert choose_length([*texts, "is"] * 2, WORDS) == 16  # nine words, rounded up to eights
    assert choose_length(["is " * 9000], WORDS) == 512
