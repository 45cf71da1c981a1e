"""List every setting of a training run: key, default, meaning, and the recipes that set it.

Examples:
  resnext settings
  resnext settings optim
  resnext settings augment.mixup
  resnext settings --json
"""

from __future__ import annotations

import difflib
import itertools
import json
import textwrap
from dataclasses import asdict, dataclass
from typing import Annotated

import tyro

from resnext.cli.arguments import option, parse
from resnext.cli.settings_reference import SettingRow, reference
from resnext.errors import ConfigError


@dataclass(frozen=True)
class SettingsArguments:
    """List every setting of a training run."""

    key: Annotated[tyro.conf.Positional[str | None], option("KEY")] = None
    """One setting, such as optim.lr, or a group, such as optim."""
    json: bool = False
    """Print the settings as JSON."""
    markdown: bool = False
    """Print the settings as tables in Markdown."""


def main(argv: list[str]) -> int:
    """Run the verb.

    Raises:
        ConfigError: There is no such setting.
    """
    arguments = parse(SettingsArguments, argv, __doc__)
    settings = _chosen(reference(), arguments.key)
    if arguments.json:
        print(json.dumps([asdict(setting) for setting in settings], indent=2))
    elif arguments.markdown:
        print(_markdown(settings), end="")
    else:
        print("\n\n".join(map(_text, settings)))
        print("\nChange one with --set KEY=VALUE, or in a file for --config.")
    return 0


def _chosen(settings: list[SettingRow], key: str | None) -> list[SettingRow]:
    if key is None:
        return settings
    chosen = [s for s in settings if s.key == key or s.key.startswith(f"{key}.")]
    if chosen:
        return chosen
    known = [s.key for s in settings]
    by_name = [name for name in known if name.rpartition(".")[2] == key]
    near = by_name or difflib.get_close_matches(key, known, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else "`resnext settings` lists all"
    raise ConfigError(f"no setting {key!r}; {hint}")


def _text(setting: SettingRow) -> str:
    lines = [f"{setting.key} = {setting.default}    ({setting.type})"]
    lines += textwrap.wrap(setting.meaning, 88, initial_indent="    ", subsequent_indent="    ")
    lines += [f"    recipe {recipe}: {value}" for recipe, value in setting.recipes.items()]
    return "\n".join(lines)


def _markdown(settings: list[SettingRow]) -> str:
    """Format one table per group of settings."""
    lines = [_HEADER]
    for group, members in itertools.groupby(settings, lambda s: s.key.rpartition(".")[0]):
        lines += [f"## {group or 'run'}\n", "| setting | default | accepted | meaning | recipes |"]
        lines.append("|---|---|---|---|---|")
        for setting in members:
            recipes = "; ".join(f"{name}: {value}" for name, value in setting.recipes.items())
            cells = (
                f"`{setting.key}`",
                f"`{setting.default}`",
                setting.type,
                setting.meaning,
                recipes,
            )
            lines.append(f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |")
        lines.append("")
    return "\n".join(lines)


_HEADER = """\
# Settings

Every setting of `config.yaml`, for `--set KEY=VALUE`. `resnext settings KEY` shows one in the
terminal; `resnext settings --markdown` writes this page.
"""
