"""The snapshot: a copy of the state's tensors in CPU memory, taken between two steps."""

from __future__ import annotations

from collections.abc import Mapping

import torch


class Snapshot:
    """Holds one copy of each tensor; its memory is reused.

    Copying is the cost of a checkpoint for the training loop. On a GPU the copies use page-locked
    memory, at full bus speed.
    """

    def __init__(self) -> None:
        self._copies: dict[str, torch.Tensor] = {}

    def take(self, tensors: Mapping[str, torch.Tensor]) -> Mapping[str, torch.Tensor]:
        """Copy tensors, overwriting previous copies.

        Args:
            tensors: Tensors by name, on any device and in any memory layout. A repeated name must
                have the same shape and type.

        Returns:
            The copies by name, contiguous and complete.
        """
        copies = {name: self._copy(name, tensor) for name, tensor in tensors.items()}
        for device in {tensor.device for tensor in tensors.values() if tensor.is_cuda}:
            torch.cuda.current_stream(device).synchronize()
        return copies

    def _copy(self, name: str, tensor: torch.Tensor) -> torch.Tensor:
        copy = self._copies.get(name)
        if copy is None:
            copy = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=tensor.is_cuda)
            self._copies[name] = copy
        return copy.copy_(tensor.detach(), non_blocking=tensor.is_cuda)
