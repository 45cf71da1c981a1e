"""What came of hostile input, in a form that many tests can add up and one table can show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

MAX_SHOWN = 5


@dataclass
class Counts:
    """Outcomes of one kind of hostile input.

    Attributes:
        kind: The format or attack.
        accepted: Inputs that worked, for instance since the change hit nothing that matters.
        refused: Inputs that were refused with one of the program's own errors.
        failures: How to repeat each input that did anything else, and what it did.
    """

    kind: str
    accepted: int = 0
    refused: int = 0
    failures: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Inputs that were tried."""
        return self.accepted + self.refused + len(self.failures)

    def add(self, name: str, use: Callable[[], object], allowed: type[Exception]) -> None:
        """Try one input.

        Args:
            name: Tells how to make the input again.
            use: Uses it.
            allowed: The only error that may come of it.
        """
        try:
            use()
        except allowed:
            self.refused += 1
        except Exception as error:  # every other outcome is what we look for
            self.failures.append(f"{name}: {type(error).__name__}: {str(error)[:200]}")
        else:
            self.accepted += 1

    def check(self) -> None:
        """Fail if an input did harm, or if the inputs tested nothing."""
        assert not self.failures, (
            f"{len(self.failures)} of {self.total} {self.kind}: {self.failures[:MAX_SHOWN]}"
        )
        assert self.refused > 0, f"{self.kind}: none of {self.total} inputs was refused"
