"""Groups the options in `--help`: the common ones first, then others under titles.

A verb's dataclass is flat, and `option_titles` says which options belong together. tyro draws one
box for each nested dataclass, so it gets a nested copy, whose values are copied back afterwards.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from dataclasses import MISSING, field, fields, is_dataclass, make_dataclass
from typing import Annotated, Any, get_type_hints

import tyro

from resnext.cli.option_titles import COMMON, OPTION_TITLES

_REST = "other"
_GROUP = "group_"

_Declaration = tuple[str, Any, Any]
"""Name, type and default of a field, for `make_dataclass`."""


def grouped(kind: type) -> type:
    """Return a dataclass with the fields of another one, nested by group.

    Args:
        kind: A dataclass whose fields are options.
    """
    known, groups = _declarations(kind), groups_of(kind)
    parts = [known[name] for name in groups.pop(COMMON)]
    for number, (title, names) in enumerate(groups.items()):
        group = make_dataclass(title, [known[name] for name in names], kw_only=True)
        parts.append(
            (
                f"{_GROUP}{number}",
                Annotated[group, tyro.conf.arg(name=title), tyro.conf.OmitArgPrefixes],
                field(default_factory=group),
            )
        )
    return make_dataclass(kind.__name__, parts, kw_only=True, namespace={"__doc__": kind.__doc__})


def flattened(arguments: Any, kind: type) -> Any:
    """Return an instance of a flat dataclass with the values of a nested one.

    Args:
        arguments: An instance of `grouped(kind)`.
        kind: The flat dataclass.
    """
    values: dict[str, Any] = {}
    for name, value in vars(arguments).items():
        values |= vars(value) if name.startswith(_GROUP) else {name: value}
    return kind(**values)


def groups_of(kind: type) -> dict[str, list[str]]:
    """Return the names of a dataclass's fields by title, each field once."""
    names = [one.name for one in fields(kind)]
    titles = OPTION_TITLES.get(kind.__name__)
    if titles is None:
        return {COMMON: names}
    found = {title: text.split() for title, text in titles.items()}
    listed = [name for group in found.values() for name in group]
    rest = [name for name in names if name not in listed]
    return found | ({_REST: rest} if rest else {})


def _declarations(kind: type) -> dict[str, _Declaration]:
    """Return the fields of a dataclass by name, with their docstrings as help texts."""
    hints, types = get_type_hints(kind, include_extras=True), get_type_hints(kind)
    texts = _help_texts(kind)
    found = {}
    for one in fields(kind):
        # A flag is off by default, as everyone expects.
        hint = "" if types[one.name] is bool else None
        shown = tyro.conf.arg(help=texts.get(one.name, ""), help_behavior_hint=hint)
        default = field() if one.default is MISSING else field(default=one.default)
        found[one.name] = (one.name, Annotated[hints[one.name], shown], default)
    return found


def _help_texts(kind: type) -> dict[str, str]:
    """Return the docstrings of a dataclass's fields, each as one paragraph."""
    found: dict[str, str] = {}
    for base in filter(is_dataclass, reversed(kind.__mro__)):
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        assert isinstance(tree, ast.ClassDef)
        for one, after in zip(tree.body, tree.body[1:], strict=False):
            if isinstance(one, ast.AnnAssign) and isinstance(after, ast.Expr):
                text = ast.literal_eval(after.value)
                found[ast.unparse(one.target)] = " ".join(text.split())
    return found
