"""Modules of Torch7's `nn`, each checked against what is expected in its position.

A module is named by its path from the network, as `model:get(5):get(1)` in Lua: `5.1`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from resnext.errors import CheckpointError
from resnext.weights.torch7.values import TorchObject

_PACKAGES = ("nn", "cudnn", "fbnn")
"""Packages whose layers of the same name are equivalent."""

_MAX_SHOWN_LENGTH = 40


def shown(found: object) -> str:
    """Format a field's value for a message; a table, which may contain itself, by type only."""
    if isinstance(found, torch.Tensor):
        return f"a tensor {tuple(found.shape)}"
    if isinstance(found, bool | int | float | str | bytes | None):
        return repr(found)[:_MAX_SHOWN_LENGTH]
    return f"a {type(found).__name__}"


class Copies:
    """Copies a file's tensors, limited to the size of the file.

    A damaged file can use one large tensor in any number of layers.
    """

    def __init__(self) -> None:
        self._stored: dict[int, int] = {}
        self._num_copied = 0

    def take(self, tensor: torch.Tensor) -> torch.Tensor:
        """Copy a tensor to float32.

        Raises:
            CheckpointError: The copies have more elements than the storages.
        """
        storage = tensor.untyped_storage()
        self._stored[storage.data_ptr()] = storage.nbytes() // tensor.element_size()
        self._num_copied += tensor.numel()
        if self._num_copied > sum(self._stored.values()):
            raise CheckpointError(
                "layers in the file share weights, which no supported network does"
            )
        return torch.empty(tensor.shape, dtype=torch.float32).copy_(tensor)


@dataclass(frozen=True)
class Layer:
    """A module and its path.

    Attributes:
        module: The module.
        path: Its path; empty for the network itself.
        copies: Makes the copies of its tensors.
    """

    module: TorchObject
    path: str
    copies: Copies

    @property
    def kind(self) -> str:
        """The class name without its package, for known packages."""
        package, _, name = self.module.class_name.rpartition(".")
        return name if package in _PACKAGES else self.module.class_name

    def error(self, reason: str) -> CheckpointError:
        """Build the error that names the module."""
        path = f"module {self.path}" if self.path else "the network"
        return CheckpointError(f"{path} ({self.module.class_name!r}): {reason}")

    def children(self) -> list[Layer]:
        """Return the modules that a container holds, in order."""
        table = self.module.fields.get("modules")
        if not isinstance(table, dict):
            raise self.error("its table of modules is missing")
        prefix = f"{self.path}." if self.path else ""
        layers = []
        for number in range(1, len(table) + 1):
            module = table.get(number)
            if not isinstance(module, TorchObject):
                raise self.error(f"its table of modules has no module {number}")
            layers.append(Layer(module, f"{prefix}{number}", self.copies))
        return layers

    def sequence(self) -> Sequence:
        """Return the modules of a sequence.

        Raises:
            CheckpointError: This is another module.
        """
        if self.kind != "Sequential":
            raise self.error("an unknown module here, where Sequential is expected")
        return Sequence(self)

    def expect(self, **settings: float) -> None:
        """Check fields against the values that our network requires.

        Raises:
            CheckpointError: A field has another value.
        """
        for name, wanted in settings.items():
            found = self.module.fields.get(name)
            found = 0 if found is None else found  # old files lack what was zero then
            if not isinstance(found, int | float) or found != wanted:
                raise self.error(f"{name} is {shown(found)}, but must be {wanted!r}")

    def integer(self, name: str, default: int | None = None) -> int:
        """Return a field that is a positive integer."""
        found = self.module.fields.get(name, default)
        if not isinstance(found, int) or found < 1:
            raise self.error(f"{name} is {shown(found)}, but must be a positive integer")
        return found

    def tensor(self, name: str, shape: tuple[int, ...]) -> torch.Tensor:
        """Copy a tensor field, reshaped to `shape`.

        Old convolutions are stored as matrices, so only the number of elements is checked.
        """
        found = self.module.fields.get(name)
        if not isinstance(found, torch.Tensor) or found.numel() != math.prod(shape):
            raise self.error(f"{name} is {shown(found)}, but must be a tensor {shape}")
        return self.copies.take(found).reshape(shape)


class Sequence:
    """The modules of a container, taken in order."""

    def __init__(self, container: Layer) -> None:
        self._container = container
        self._layers = container.children()
        self._taken = 0

    def __len__(self) -> int:
        """Number of modules in the container."""
        return len(self._layers)

    def next_is(self, *kinds: str) -> bool:
        """Return whether the next module is of one of these kinds."""
        return self._taken < len(self) and self._layers[self._taken].kind in kinds

    def take(self, *kinds: str) -> Layer:
        """Return the next module.

        Raises:
            CheckpointError: There is none, or it is of another kind.
        """
        wanted = " or ".join(kinds)
        if self._taken == len(self):
            raise self._container.error(f"ends where {wanted} is expected")
        layer = self._layers[self._taken]
        if layer.kind not in kinds:
            raise layer.error(f"an unknown module here, where {wanted} is expected")
        self._taken += 1
        return layer

    def finish(self) -> None:
        """Check that no module is left.

        Raises:
            CheckpointError: A module is left.
        """
        if self._taken < len(self):
            raise self._layers[self._taken].error("an unknown module here, where none is expected")
