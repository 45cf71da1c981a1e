"""The k-nearest-neighbour classifier on frozen features, which needs no training.

Legend: n training images, q queries, d features, k neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional as F

from resnext.errors import ConfigError

_MAX_SIMILARITIES = 2**24  # 64 MiB in float32
_BANK_ROWS = 2**14
_MIN_NORM = 1e-12  # an image without any activation is similar to nothing


@dataclass(frozen=True)
class Neighbours:
    """Number and weighting of neighbours.

    Attributes:
        k: Number of neighbours.
        temperature: A neighbour of cosine similarity s has a vote of exp(s / temperature); infinity
            weights all equally.

    The defaults are those commonly used to compare networks (DINO, arXiv 2104.14294, appendix, and
    its released code); Wu et al. used k = 200 on ImageNet.
    """

    k: int = 20
    temperature: float = 0.07

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ConfigError: A value is not positive.
        """
        if self.k < 1:
            raise ConfigError(f"--k {self.k}: give the number of neighbours, 1 or more")
        if not self.temperature > 0:
            raise ConfigError(
                f"--temperature {self.temperature}: give a number above 0; 'inf' weights all "
                "neighbours equally"
            )

    def check_bank(self, num_train: int) -> None:
        """Check that there are enough training images.

        Raises:
            ConfigError: There are fewer training images than neighbours.
        """
        if self.k > num_train:
            raise ConfigError(
                f"--k {self.k}: there are only {num_train:,} training images; give at most that"
            )


def knn_scores(
    bank_nd: torch.Tensor,
    labels_n: torch.Tensor,
    queries_qd: torch.Tensor,
    *,
    num_classes: int,
    neighbours: Neighbours,
    device: torch.device | None = None,
) -> torch.Tensor:
    """Classify each query by a vote of its nearest training images.

    Args:
        bank_nd: Features of the training images; only their directions matter.
        labels_n: Their classes, int64.
        queries_qd: Features to classify.
        num_classes: Classes of the data set.
        neighbours: Number and weights.
        device: Device for similarities; by default that of the features.

    Returns:
        Logarithm of the sum of votes of each class, q x num_classes, on the CPU; minus
        infinity for a class without a vote.

    Raises:
        ConfigError: There are fewer training images than neighbours.

    Source: Wu et al., arXiv 1805.01978, section 3.4.
    """
    neighbours.check_bank(len(bank_nd))
    similarities_qk, rows_qk = nearest(bank_nd, queries_qd, neighbours.k, device)
    # The nearest neighbour's vote is made 1: the votes keep their ratios and cannot overflow.
    votes_qk = ((similarities_qk - similarities_qk[:, :1]) / neighbours.temperature).exp()
    sums = votes_qk.new_zeros(len(queries_qd), num_classes)
    sums.scatter_add_(1, labels_n.cpu()[rows_qk], votes_qk)
    return sums.log()


def nearest(
    bank_nd: torch.Tensor, queries_qd: torch.Tensor, k: int, device: torch.device | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Find the k rows of a bank with the largest cosine similarity to each query.

    Both are processed in chunks: besides the features and a copy of the queries, this needs memory
    for 16,384 rows of the bank and 64 MiB of similarities.

    Returns:
        Similarities, float64, and row numbers, both q x k, nearest first, on the CPU.
    """
    device = device or bank_nd.device
    num_queries = len(queries_qd)
    values_qk = torch.empty(num_queries, 0, dtype=bank_nd.dtype, device=device)
    rows_qk = torch.empty(num_queries, 0, dtype=torch.int64, device=device)
    queries_qd = F.normalize(queries_qd.to(device), eps=_MIN_NORM)
    for start in range(0, len(bank_nd), _BANK_ROWS):
        chunk_nd = F.normalize(bank_nd[start : start + _BANK_ROWS].to(device), eps=_MIN_NORM)
        found = [
            (queries @ chunk_nd.T).topk(min(k, len(chunk_nd)), dim=1)
            for queries in torch.split(queries_qd, max(1, _MAX_SIMILARITIES // len(chunk_nd)))
        ]
        values = torch.cat([values_qk, torch.cat([top.values for top in found])], dim=1)
        rows = torch.cat([rows_qk, torch.cat([top.indices for top in found]) + start], dim=1)
        values_qk, places_qk = values.topk(min(k, values.shape[1]), dim=1)
        rows_qk = rows.gather(1, places_qk)
    return values_qk.cpu().double(), rows_qk.cpu()
