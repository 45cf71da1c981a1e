"""Templates of the reports of runs and studies: escaped, self-contained, with sortable tables."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.ticker import EngFormatter

from resnext.untrusted.text import printable_lines


def report_templates(*folders: str) -> Environment:
    """Return the environment that renders a report.

    Args:
        folders: Folders of templates below the package, the first before the others.

    The global `sort_script` is the only script of a report, and `sort_script_source` allows it in
    a content security policy.
    """
    environment = Environment(
        loader=ChoiceLoader([PackageLoader("resnext", folder) for folder in folders]),
        autoescape=True,
        finalize=_only_printable,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["short"] = EngFormatter(places=2)  # 25.03 M, 4.23 G
    script = Path(__file__).with_name("sort.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    environment.globals["sort_script"] = Markup(script)
    environment.globals["sort_script_source"] = Markup(f"'sha256-{digest}'")
    return environment


def _only_printable(value: object) -> object:
    """Escape unprintable characters, such as text-direction marks; markup is kept."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return printable_lines(value)
    return value
