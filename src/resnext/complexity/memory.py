"""The memory that maps take during inference, from the order of execution."""

from __future__ import annotations

from dataclasses import dataclass

_BYTES_PER_NUMBER = 4


@dataclass(frozen=True)
class _Operation:
    inputs: tuple[int, ...]
    output: int
    overwrites: bool


class Tape:
    """Records which operation reads and writes which map; maps are numbered."""

    def __init__(self) -> None:
        self._sizes: list[int] = []
        self._operations: list[_Operation] = []

    def source(self, size: int) -> int:
        """Record a map that is there from the start, such as the image."""
        self._sizes.append(size)
        return len(self._sizes) - 1

    def run(self, inputs: tuple[int, ...], size: int, *, overwrites: bool = False) -> int:
        """Record an operation.

        Args:
            inputs: Maps that it reads.
            size: Numbers in the map that it writes.
            overwrites: It may write over its first input, if that is not read later.

        Returns:
            The map that it writes.
        """
        output = self.source(size)
        self._operations.append(_Operation(inputs, output, overwrites))
        return output

    def peak_bytes(self) -> int:
        """Return the most bytes of maps that must exist at once, in float32."""
        last_use = {
            number: moment
            for moment, operation in enumerate(self._operations)
            for number in operation.inputs
        }
        written = {operation.output for operation in self._operations}
        live = {number for number in range(len(self._sizes)) if number not in written}
        peak = self._sum(live)
        for moment, operation in enumerate(self._operations):
            takes_over = operation.overwrites and last_use[operation.inputs[0]] == moment
            if takes_over:
                live.discard(operation.inputs[0])
            live.add(operation.output)
            peak = max(peak, self._sum(live))
            live -= {number for number in operation.inputs if last_use[number] == moment}
        return peak * _BYTES_PER_NUMBER

    def _sum(self, numbers: set[int]) -> int:
        return sum(self._sizes[number] for number in numbers)
