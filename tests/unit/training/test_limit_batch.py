"""The learning rate follows the images of a step, of which there are no more than in the set."""

import pytest

from resnext.runs.config import TrainConfig
from resnext.training.schedule import peak_lr
from resnext.training.train import limit_batch


@pytest.mark.parametrize(
    ("batch_size", "accumulate", "num_train", "expected"),
    [(256, 1, 108, 108), (256, 4, 106, 108), (32, 1, 32, 32), (32, 1, 5000, 32), (8, 8, 3, 8)],
)
def test_a_batch_holds_no_more_images_than_there_are(
    batch_size: int, accumulate: int, num_train: int, expected: int
) -> None:
    config = TrainConfig(batch_size=batch_size, accumulate=accumulate)
    limited = limit_batch(config, num_train, None)
    assert limited.batch_size == expected
    ratio = peak_lr(limited.optim, limited.batch_size) / peak_lr(config.optim, batch_size)
    assert ratio == pytest.approx(expected / batch_size)


def test_a_run_that_began_with_a_larger_batch_keeps_it_and_its_rate() -> None:
    config = TrainConfig(batch_size=256)
    assert limit_batch(config, 100, config) == config
    assert limit_batch(config, 100, config.replace(seed=1)).batch_size == 100
