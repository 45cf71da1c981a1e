"""What to answer to a name that no network has. Needs no torch."""

from __future__ import annotations

import difflib
import re

from resnext.errors import ConfigError
from resnext.model.presets import BOTTLENECK_STAGES, PRESETS

GRAMMAR = (
    "resnext<depth>_<C>x<d>d[_cifar] or resnext_<n>-<n>-..._<C>x<d>d[_basic][_cifar] "
    "(resnet: cardinality 1, _1x64d may be left out)"
)
_SEPARATOR = re.compile(r"^(resnex?t)[-_ ](\d)")  # as in "resnext-50", which people write


def unknown_name(
    name: str, reason: str = "no network has this name", advice: str = ""
) -> ConfigError:
    """Return the error for a name that no network has, with the reason and similar valid names."""
    text, good = name.strip().lower(), _good_names()
    joined = _SEPARATOR.sub(r"\1\2", text)
    near = [known for known in good if joined and known.startswith(f"{joined}_")][:4]
    near = near or difflib.get_close_matches(text, good, n=4, cutoff=0.5)
    nearest = f"; similar valid names are {', '.join(near)}" if near else ""
    return ConfigError(
        f"model={name!r}: {reason}{nearest}. Names are {GRAMMAR}, or vgg16_bn, vgg19_bn, "
        "inception_v3; `resnext.list_models()` lists well-known ones"
        f"{'. ' + advice if advice else ''}"
    )


def _good_names() -> list[str]:
    """Return the presets and, for common depths, all of their templates."""
    templates = {name.partition("_")[2] for name in PRESETS if name.startswith("resnext")}
    depths = (*BOTTLENECK_STAGES, 29, 38, 56, 110)
    crossed = [f"resnext{depth}_{template}" for depth in depths for template in sorted(templates)]
    return list(dict.fromkeys([*PRESETS, *crossed]))
