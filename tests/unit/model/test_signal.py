from __future__ import annotations

import json
from typing import Any

import pytest

from resnext.errors import ConfigError
from resnext.model.card import ModelCard, card_from
from resnext.model.config import ResNeXtConfig
from resnext.model.embedding_config import EmbeddingConfig
from resnext.model.signal import SignalInput, noun_of
from resnext.model.sound import SoundInput
from resnext.model.text import TextInput

SIGNAL = SignalInput(kind="series", size=30, mean=(0.0, 2.0), std=(1.0, 3.0))
NETWORK = ResNeXtConfig(stem="cifar", ndim=1, in_channels=2, num_classes=2)


def test_a_signal_knows_its_dimensions_and_channels() -> None:
    assert (SIGNAL.ndim, SIGNAL.in_channels, SIGNAL.shape) == (1, 2, "2 x 30")
    volume = SignalInput(kind="volume", size=28, mean=(0.5,), std=(0.1,))
    assert (volume.ndim, volume.shape) == (3, "1 x 28 x 28 x 28")
    assert [noun_of(one) for one in (None, SIGNAL, volume)] == ["images", "series", "volumes"]


SOUND = SoundInput(rate_hz=8_000, window=200, hop=80)
AUDIO = SignalInput(kind="audio", size=8_000, mean=(0.5,), std=(2.0,), sound=SOUND)


def test_audio_has_the_sides_of_its_spectrogram_or_its_samples() -> None:
    assert (AUDIO.ndim, AUDIO.sides, AUDIO.shape) == (2, (64, 101), "1 x 64 x 101")
    plain = AUDIO.replace(sound=SOUND.replace(features="waveform"))
    assert (plain.ndim, plain.sides, plain.shape) == (1, (8_000,), "1 x 8000")
    assert AUDIO.description == "audio of 1 x 64 x 101"
    assert (AUDIO.axes, plain.axes, SIGNAL.axes) == ("mel bands x windows", "samples", "steps")
    assert noun_of(AUDIO) == "clips"


def test_a_card_of_audio_comes_back_and_others_are_written_as_before() -> None:
    card = ModelCard(image_size_px=8_000, resize_px=None, signal=AUDIO)
    network = ResNeXtConfig(stem="cifar", ndim=2, in_channels=1, num_classes=2)
    assert card_from(json.loads(card.model_dump_json()), network) == card
    assert "sound" not in SIGNAL.model_dump()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sound": None}, "audio has the settings sound"),
        ({"kind": "series"}, "audio has the settings sound"),
        ({"size": 2**20, "sound": SOUND.replace(window=2**16, hop=1)}, "the spectrogram of one"),
    ],
)
def test_what_no_audio_can_be_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        AUDIO.replace(**changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mean": ()}, "mean has 0 values"),
        ({"mean": (0.0,)}, "mean has 1 values and std 2"),
        ({"std": (1.0, 0.0)}, "std"),
        ({"std": (1.0, float("inf"))}, "std"),
        ({"size": 0}, "size"),
        ({"size": 2**21}, "size"),
        ({"kind": "volume", "size": 1000}, "more than 268,435,456 values"),
        ({"kind": "sound"}, "kind"),
        ({"extra": 1}, "extra"),
    ],
)
def test_what_no_signal_can_be_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        SignalInput(**{**SIGNAL.model_dump(), **changes})


def test_a_card_of_images_is_written_as_before() -> None:
    assert "signal" not in json.loads(ModelCard().model_dump_json())
    assert "signal" not in ModelCard().model_dump()


def test_a_card_of_signals_comes_back_from_its_file() -> None:
    card = ModelCard(image_size_px=30, resize_px=None, signal=SIGNAL)
    assert card_from(json.loads(card.model_dump_json()), NETWORK) == card


@pytest.mark.parametrize(
    ("changes", "network", "words"),
    [
        ({"image_size_px": 31}, {}, "both must be the same"),
        ({}, {"in_channels": 1}, r"2 channel\(s\), the network has 1 dimension\(s\) and 1"),
        ({}, {"ndim": 2}, r"the network has 2 dimension\(s\)"),
    ],
)
def test_a_card_that_contradicts_itself_or_the_network_is_refused(
    changes: dict[str, Any], network: dict[str, Any], words: str
) -> None:
    card = ModelCard(image_size_px=30, resize_px=None, signal=SIGNAL)
    values = {**card.model_dump(mode="json"), **changes}
    with pytest.raises(ConfigError, match=words):
        card_from(values, NETWORK.replace(**network))


def test_what_is_for_images_says_so() -> None:
    ModelCard().require_images("export")
    with pytest.raises(ConfigError, match="export is for networks that take images so far"):
        ModelCard(image_size_px=30, signal=SIGNAL).require_images("export")


TEXT = SignalInput(
    kind="text", size=8, fit="pad", normalise="none", mean=(0.0,), std=(1.0,),
    text=TextInput(unit="word", lower=True, vocabulary=("a", "b")),
)  # fmt: skip
TEXT_NETWORK = ResNeXtConfig(
    stem="cifar", ndim=1, in_channels=1, num_classes=2, embedding=EmbeddingConfig(num_tokens=4)
)


def test_a_text_says_its_words_and_hides_its_vocabulary_from_figures() -> None:
    assert (TEXT.ndim, TEXT.in_channels, TEXT.shape) == (1, 1, "8 words")
    assert noun_of(TEXT) == "texts"
    assert TEXT.as_figures()["text"] == {"unit": "word", "lower": True, "vocabulary": 2}
    assert "text" not in SIGNAL.model_dump()


def test_a_card_of_texts_comes_back_with_its_vocabulary() -> None:
    card = ModelCard(image_size_px=8, resize_px=None, signal=TEXT)
    assert card_from(json.loads(card.model_dump_json()), TEXT_NETWORK) == card
    for network in (TEXT_NETWORK.replace(embedding=EmbeddingConfig(num_tokens=5)),
                    TEXT_NETWORK.replace(embedding=None)):  # fmt: skip
        with pytest.raises(ConfigError, match="vocabulary has 4 tokens"):
            card_from(json.loads(card.model_dump_json()), network)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"text": None}, "a text has a group text"),
        ({"kind": "series"}, "a text has a group text"),
        ({"normalise": "channel"}, "no normalisation"),
        ({"mean": (1.0,)}, "no normalisation"),
        ({"text": {"unit": "word", "lower": True, "vocabulary": ()}}, "vocabulary"),
        ({"text": {"unit": "word", "lower": True, "vocabulary": ("a", "a")}}, "twice"),
        ({"text": {"unit": "word", "lower": True, "vocabulary": ("x" * 65,)}}, "65 characters"),
        ({"text": {"unit": "word", "lower": True, "vocabulary": ("\ud800",)}}, "vocabulary"),
    ],
)
def test_what_no_text_can_be_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        SignalInput(**{**TEXT.model_dump(), **changes})


def test_the_entries_of_a_vocabulary_are_bounded_together() -> None:
    vocabulary = tuple(f"{number:060d}" for number in range(40_000))
    with pytest.raises(ConfigError, match="2,097,152 characters in all"):
        TextInput(unit="word", lower=True, vocabulary=vocabulary)
