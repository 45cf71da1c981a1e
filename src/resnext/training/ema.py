"""An exponential moving average of the weights, which usually has a lower error."""

from __future__ import annotations

import copy

import torch
from torch import nn


class WeightAverage:
    """Averages parameters and BN statistics over the steps.

    The decay starts low and grows to its final value, so that the random initial weights have no
    influence in short runs: min(decay, (1 + n) / (10 + n)) after n updates.

    Attributes:
        model: A copy of the network with the averaged weights, in evaluation mode.
        num_updates: Number of updates so far.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self.num_updates = 0
        self._decay = decay
        self._averages, self._sources, self._counters = _pair_up(self.model, model)

    @torch.no_grad()
    def update(self) -> None:
        """Update the average with the network's current weights."""
        decay = min(self._decay, (1 + self.num_updates) / (10 + self.num_updates))
        torch._foreach_lerp_(self._averages, self._sources, 1.0 - decay)
        for counter, source in self._counters:
            counter.copy_(source)
        self.num_updates += 1


def _pair_up(
    average: nn.Module, model: nn.Module
) -> tuple[list[torch.Tensor], list[torch.Tensor], list[tuple[torch.Tensor, torch.Tensor]]]:
    """Pair each tensor with its source; integers (BN's counters) are only copied."""
    pairs = list(zip(average.state_dict().values(), model.state_dict().values(), strict=True))
    floats = [pair for pair in pairs if pair[0].is_floating_point()]
    counters = [pair for pair in pairs if not pair[0].is_floating_point()]
    return [mean for mean, _ in floats], [source for _, source in floats], counters
