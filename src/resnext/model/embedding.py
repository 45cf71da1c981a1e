"""The embedding in front of a network for text: a learned vector for each token.

Legend: b batch, c channels, l positions of the text, s positions of the last map.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from resnext.model.embedding_config import EmbeddingConfig
from resnext.model.text import PADDING

_INITIAL_STD = 0.1


class TokenEmbedding(nn.Module):
    """Replaces each token by its vector; that of padding is zero and stays zero.

    Attributes:
        weight: A row for each token.
    """

    def __init__(self, config: EmbeddingConfig, stride: int) -> None:
        """Build the embedding.

        Args:
            config: Its size.
            stride: Positions of the text per position of the network's last map.
        """
        super().__init__()
        self.weight = nn.Parameter(torch.empty(config.num_tokens, config.width))
        self._last = config.num_tokens - 1
        self._stride = stride

    def reset_parameters(self) -> None:
        """Draw the vectors from torch's global generator."""
        nn.init.normal_(self.weight, std=_INITIAL_STD)
        with torch.no_grad():
            self.weight[PADDING].zero_()

    def forward(self, tokens_b1l: torch.Tensor) -> torch.Tensor:
        """Return the vectors, b x c x l.

        Args:
            tokens_b1l: Numbers of tokens, of any type; what is no token counts as the nearest one.
        """
        tokens_bl = tokens_b1l.squeeze(1).long().clamp(0, self._last)
        return functional.embedding(tokens_bl, self.weight, padding_idx=0).transpose(1, 2)

    def without_padding(self, map_bcs: torch.Tensor, tokens_b1l: torch.Tensor) -> torch.Tensor:
        """Clear the last map where the text is padded, and scale the rest accordingly.

        The mean over all positions, which the head computes, is then the mean over those of the
        text. A position of the map belongs to the text if the token in its centre does.
        """
        # 0 is padding. Exported networks have clamps and pools, but no comparisons and slices.
        is_text_b1l = tokens_b1l.long().clamp(0, 1).to(map_bcs.dtype)
        is_text_b1s = functional.max_pool1d(is_text_b1l, 1, self._stride)  # every stride-th
        # at least 2^-20 in the longest text; 0, without any token, must not divide
        share_b11 = is_text_b1s.mean(dim=2, keepdim=True).clamp(min=1e-7)
        return map_bcs * (is_text_b1s / share_b11)
