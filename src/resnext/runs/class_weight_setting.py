"""The setting `class_weights`: a keyword, weights by class name, or weights in class order."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from resnext.untrusted.names import shown

MAX_WEIGHTS = 5_000
"""Maximum number of weights; more would exceed the limit of a settings file."""

_MIN_WEIGHT, _MAX_WEIGHT = 1e-6, 1e6
_FORMS = (
    "give balanced, class names with weights such as dress=2,hat=1.5, or a list of all weights "
    "in class order such as [1, 2, 1]"
)


def _read(given: object) -> object:
    """Return the keyword, or weights as finite positive numbers.

    Raises:
        ValueError: It is neither, a weight is out of range, or a class occurs twice.
    """
    if given is None or given == "balanced":
        return given
    if isinstance(given, str):
        given = _read_pairs(given)
    if not isinstance(given, dict | list | tuple) or not given:
        raise ValueError(_FORMS)
    if len(given) > MAX_WEIGHTS:
        raise ValueError(f"give at most {MAX_WEIGHTS:,} weights, or balanced")
    if isinstance(given, dict):
        return {_name(name): _weight(shown(name), weight) for name, weight in given.items()}
    return tuple(_weight(f"class number {k}", weight) for k, weight in enumerate(given))


def _read_pairs(text: str) -> dict[str, Any]:
    weights: dict[str, Any] = {}
    for pair in text.split(","):
        name, separator, weight = pair.rpartition("=")
        if not separator:
            raise ValueError(_FORMS)
        if name.strip() in weights:
            raise ValueError(f"the class {shown(name.strip())} occurs twice")
        weights[name.strip()] = weight
    return weights


def _name(name: object) -> str:
    if not isinstance(name, str) or not name:
        raise ValueError(_FORMS)
    return name


def _weight(label: str, given: object) -> float:
    try:
        # Whatever is no number raises, and is refused below.
        value = float("nan") if isinstance(given, bool) else float(given)  # type: ignore[arg-type]  # see above
    except (TypeError, ValueError, OverflowError):
        value = float("nan")
    if not _MIN_WEIGHT <= value <= _MAX_WEIGHT:  # also not a number
        raise ValueError(
            f"the weight of {label} is {shown(given)}; give a number from {_MIN_WEIGHT:g} to "
            f"{_MAX_WEIGHT:,.0f}"
        )
    return value


ClassWeights = Annotated[
    Literal["balanced"] | dict[str, float] | tuple[float, ...], BeforeValidator(_read)
]
