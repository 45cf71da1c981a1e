"""Locates the networks in a file: their prefix and naming family."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from resnext.weights.families.cifar import HYSTS, STAGES, WEIAICUNZAI
from resnext.weights.families.detectron2 import DETECTRON2
from resnext.weights.families.family import TENSORS, KeyFamily
from resnext.weights.families.pycls import PYCLS
from resnext.weights.families.pytorchcv import PYTORCHCV
from resnext.weights.families.torchvision import TORCHVISION
from resnext.weights.families.transformers import TRANSFORMERS

FAMILIES = (
    *(TORCHVISION, PYCLS, PYTORCHCV, DETECTRON2, TRANSFORMERS),
    *(STAGES, HYSTS, WEIAICUNZAI),
)

MAX_NAME_CHARS = 512
"""Maximum length of a tensor's name; longer ones are not layers of a network."""

_AVERAGED = {"ema", "swa", "averaged"}
_SECOND = {"teacher", "target", "momentum", "key", "k", "attacker", "frozen", "old"}


@dataclass(frozen=True)
class Located:
    """One network of a file.

    Attributes:
        family: Library whose names it uses.
        prefix: Common prefix of its names, such as `module.`.
        modules: The file's modules with our names for them.
    """

    family: KeyFamily
    prefix: str
    modules: dict[str, str]


def locate(keys: Iterable[str]) -> list[Located]:
    """Find the networks of a file, the preferred one first.

    Averaged weights come before plain weights, as they are what is usually evaluated and published;
    the teacher of a distillation, or the momentum encoder of contrastive training, comes last.

    Args:
        keys: Names of tensors.
    """
    names = (key.rpartition(".") for key in keys if len(key) <= MAX_NAME_CHARS)
    modules = list(dict.fromkeys(module for module, _, tensor in names if tensor in TENSORS))
    found = [network for family in FAMILIES for network in _networks(family, modules)]
    return sorted(found, key=lambda network: (_rank(network.prefix), -len(network.modules)))


def parts_of(name: str) -> set[str]:
    """Return the words of a name, separated by dots and underscores."""
    return set(re.split(r"[._]", name.lower()))


def _networks(family: KeyFamily, modules: list[str]) -> list[Located]:
    """Group the modules in a family's table by prefix."""
    if not any(module.endswith(family.stems) for module in modules):
        return []
    groups: dict[str, dict[str, str]] = defaultdict(dict)
    for module in modules:
        if match := family.match(module):
            groups[match[0]][module] = match[1]
    return [
        Located(family, prefix, names)
        for prefix, names in groups.items()
        if "conv1" in names.values() and any(map(_IS_CONV_OF_BLOCK, names.values()))
    ]


_IS_CONV_OF_BLOCK = re.compile(r"layer\d+\.\d+\.(?:paths\.\d+\.)?conv\d").fullmatch


def _rank(prefix: str) -> int:
    words = parts_of(prefix)
    return 2 if words & _SECOND else 0 if words & _AVERAGED else 1
