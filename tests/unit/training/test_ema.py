"""The averaged weights, held against the recurrence."""

import torch
from torch import nn

from resnext.training.ema import WeightAverage


def test_the_average_follows_its_recurrence_with_a_growing_decay() -> None:
    model = nn.Linear(3, 2).double()
    average = WeightAverage(model, decay=0.9)
    expected = model.weight.detach().clone()
    for update in range(120):
        with torch.no_grad():
            model.weight.normal_()
        average.update()
        decay = min(0.9, (1 + update) / (10 + update))
        expected = decay * expected + (1 - decay) * model.weight.detach()
    torch.testing.assert_close(average.model.weight, expected, rtol=1e-10, atol=1e-12)


def test_bn_statistics_are_averaged_and_its_counter_is_copied() -> None:
    model = nn.BatchNorm2d(2)
    average = WeightAverage(model, decay=0.5)
    model(torch.ones(4, 2, 3, 3))
    average.update()
    assert average.model.num_batches_tracked == 1
    # running mean 0.1 after one batch of ones; the first update has decay 1/10
    torch.testing.assert_close(average.model.running_mean, torch.full((2,), 0.09))


def test_the_average_is_not_trained() -> None:
    average = WeightAverage(nn.Linear(2, 2), decay=0.9)
    assert not any(parameter.requires_grad for parameter in average.model.parameters())
    assert not average.model.training
