from __future__ import annotations

from typing import Any

import pytest
import torch

from resnext.data.augment.config import AugmentConfig
from resnext.data.loading.config import TrainLoaderConfig
from resnext.data.signals.augment import SignalAugmenter
from resnext.data.signals.augment_config import SignalAugmentConfig
from resnext.data.signals.loaders import SignalTrainLoader
from resnext.data.signals.text_split import TextSplit
from resnext.errors import ConfigError
from resnext.model.signal import SignalInput
from resnext.model.text import TextInput

TEXT = SignalInput(
    kind="text", size=50, fit="pad", normalise="none", mean=(0.0,), std=(1.0,),
    text=TextInput(unit="word", lower=True, vocabulary=("a", "b", "c")),
)  # fmt: skip
SERIES = SignalInput(kind="series", size=50, mean=(0.0,), std=(1.0,))


def _tokens(num: int = 40) -> torch.Tensor:
    tokens = torch.randint(2, 5, (num, 1, 50), generator=torch.Generator().manual_seed(0))
    tokens[:, :, 40:] = 0
    return tokens


def test_word_dropout_replaces_its_share_of_the_words_by_the_unknown_one() -> None:
    tokens = _tokens().float()
    augmenter = SignalAugmenter(SignalAugmentConfig(word_dropout=0.25), TEXT, seed=1)
    found = augmenter(tokens, torch.arange(40), epoch=2)
    changed = found != tokens
    assert (found[changed] == 1).all()
    assert not changed[:, :, 40:].any()  # padding stays
    # 1,600 words: the share lies within three deviations
    assert abs(float(changed[:, :, :40].float().mean()) - 0.25) < 3 * (0.25 * 0.75 / 1600) ** 0.5


def test_word_dropout_is_a_function_of_seed_epoch_and_text() -> None:
    tokens = _tokens().float()
    augmenter = SignalAugmenter(SignalAugmentConfig(word_dropout=0.25), TEXT, seed=1)
    whole = augmenter(tokens, torch.arange(40), epoch=2)
    part = augmenter(tokens[7:9], torch.arange(7, 9), epoch=2)
    assert whole[7:9].equal(part)
    assert not whole.equal(augmenter(tokens, torch.arange(40), epoch=3))
    other = SignalAugmenter(SignalAugmentConfig(word_dropout=0.25), TEXT, seed=2)
    assert not whole.equal(other(tokens, torch.arange(40), epoch=2))


@pytest.mark.parametrize(
    ("signal", "config", "words"),
    [
        (TEXT, {"crop": 0.5}, "signal_augment.crop=0.5 varies numbers"),
        (TEXT, {"jitter": 0.5}, "signal_augment.jitter=0.5 varies numbers"),
        (SERIES, {"word_dropout": 0.5}, "is for text, not for series"),
    ],
)
def test_augmentation_of_other_signals_is_refused(
    signal: SignalInput, config: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        SignalAugmenter(SignalAugmentConfig(**config), signal, seed=0)


def test_texts_cannot_be_mixed() -> None:
    split = TextSplit(_tokens(), torch.arange(40) % 2, torch.arange(40), "x", ("a",) * 40)
    config = TrainLoaderConfig(
        augment=AugmentConfig(mixup=0.2), seed=0, batch_size=8, device=torch.device("cpu")
    )
    with pytest.raises(ConfigError, match="texts have none"):
        SignalTrainLoader(split, TEXT, SignalAugmentConfig(), config)


def test_batches_hold_the_numbers_of_the_tokens() -> None:
    split = TextSplit(_tokens().int(), torch.arange(40) % 2, torch.arange(40), "x", ("a",) * 40)
    config = TrainLoaderConfig(
        augment=AugmentConfig(), seed=0, batch_size=8, device=torch.device("cpu")
    )
    loader = SignalTrainLoader(split, TEXT, SignalAugmentConfig(), config)
    batch = next(iter(loader.epoch(0)))
    assert batch.images_bchw.dtype == torch.float32
    assert batch.images_bchw.equal(_tokens()[batch.indices_b].float())
