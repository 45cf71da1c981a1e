"""List, download and verify published weights, which all other verbs accept by name.

Examples:
  resnext weights list
  resnext weights list resnext50 timm
  resnext weights info resnext50_32x4d.a1h_in1k
  resnext weights fetch resnext50_32x4d.a1h_in1k
  resnext weights fetch resnext101_32x8d.fb_wsl_ig1b_ft_in1k --accept-licence
  resnext weights verify resnext50_32x4d.a1h_in1k --data imagenet:DIR
  resnext weights info downloads/some-network.pth
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from resnext.cli.arguments import option, parse
from resnext.data.sets.parse import parse_data
from resnext.errors import ConfigError

if TYPE_CHECKING:
    from resnext.weights.entry import WeightsEntry


@dataclass(frozen=True)
class WeightsList:
    """List the catalogue."""

    name: Annotated[tyro.conf.Positional[tuple[str, ...]], option("WORD ...")] = ()
    """Words that must occur in the name, task, licence or class list of an entry."""
    filter: Annotated[str, option("WORDS")] = ""
    """The same."""
    json: bool = False
    """Print the result as JSON."""


@dataclass(frozen=True)
class WeightsInfo:
    """Show all facts about one entry or file."""

    name: Annotated[tyro.conf.Positional[tuple[str, ...]], option("NAME")] = ()
    """The entry or a file."""
    accept_licence: bool = False
    """Download weights whose licence forbids commercial use; your use must be allowed."""
    json: bool = False
    """Print the result as JSON."""


@dataclass(frozen=True)
class WeightsFetch(WeightsInfo):
    """Download the file of an entry."""

    name: Annotated[tyro.conf.Positional[tuple[str, ...]], option("NAME")] = ()
    """The entry."""


@dataclass(frozen=True)
class WeightsVerify(WeightsInfo):
    """Evaluate an entry's weights, and compare the error or AP with the published one."""

    name: Annotated[tyro.conf.Positional[tuple[str, ...]], option("NAME")] = ()
    """The entry."""
    data: Annotated[str | None, option("DATA", "the entry's own set, if small")] = None
    """The validation images, such as imagenet:DIR, coco:DIR or cifar10."""
    batch_size: Annotated[int | None, option("N", "128")] = None
    """Batch size."""
    workers: Annotated[int | None, option("N", "one per core, at most 8")] = None
    """Processes that decode files."""
    device: str = "auto"
    """auto, cpu, cuda, cuda:N or mps."""


_ACTIONS: dict[str, type] = {
    "list": WeightsList,
    "info": WeightsInfo,
    "fetch": WeightsFetch,
    "verify": WeightsVerify,
}


def main(argv: list[str]) -> int:
    """Run the verb.

    Raises:
        ConfigError: The name is missing or unknown.
        ResNeXtError: The file cannot be downloaded or read.
    """
    arguments = parse(_ACTIONS, argv, __doc__)
    if isinstance(arguments, WeightsList):
        return _list(arguments)
    assert isinstance(arguments, WeightsInfo)
    if len(arguments.name) != 1:
        action = next(name for name, kind in _ACTIONS.items() if kind is type(arguments))
        raise ConfigError(
            f"resnext weights {action} takes one name, not {len(arguments.name)}; see `resnext "
            "weights list`"
        )
    if isinstance(arguments, WeightsVerify):
        return _verify(arguments)
    return _fetch(arguments) if isinstance(arguments, WeightsFetch) else _info(arguments)


def _list(arguments: WeightsList) -> int:
    from resnext.weights.catalogue import filter_entries

    words = " ".join((*arguments.name, arguments.filter)).strip()
    found = filter_entries(words)
    if arguments.json:
        print(json.dumps([_facts(entry) for entry in found], indent=2))
    elif not found:
        raise ConfigError(f"no entry matches {words!r}; see `resnext weights list`")
    else:
        from resnext.cli.weights_tables import print_list

        print_list(found)
    return 0


def _info(arguments: WeightsInfo) -> int:
    """Show an entry's facts without downloading it, or the content of a file or run."""
    from resnext.weights.entry_card import named_entry

    name = arguments.name[0]
    entry = None if Path(name).exists() else named_entry(name)
    facts = _opened(name, arguments) if entry is None else _facts(entry)
    if arguments.json:
        print(json.dumps(facts, indent=2))
    else:
        from resnext.cli.weights_tables import print_facts

        print_facts(facts)
    return 0


def _fetch(arguments: WeightsFetch) -> int:
    from resnext.progress import show_download
    from resnext.weights.catalogue import find_entry
    from resnext.weights.fetch import fetch

    entry = find_entry(arguments.name[0])
    with show_download() as progress:
        path = fetch(entry, accept_licence=arguments.accept_licence, progress=progress)
    print(json.dumps({"name": entry.name, "path": str(path)}) if arguments.json else path)
    return 0


def _verify(arguments: WeightsVerify) -> int:
    from resnext.evaluation.run import EvaluationOptions
    from resnext.evaluation.verify import verify_entry
    from resnext.progress import show_download, show_progress
    from resnext.runs.config import RuntimeConfig
    from resnext.runs.runtime import open_runtime
    from resnext.weights.catalogue import find_entry
    from resnext.weights.fetch import fetch

    entry = find_entry(arguments.name[0])
    data = None if arguments.data is None else parse_data(arguments.data, is_whole=True)
    with show_download() as download:
        fetch(entry, accept_licence=arguments.accept_licence, progress=download)
    settings = RuntimeConfig(device=arguments.device, precision="fp32")
    with open_runtime(settings) as runtime, show_progress(quiet=not runtime.is_main) as progress:
        effort = EvaluationOptions(arguments.batch_size, arguments.workers, progress)
        verified = verify_entry(entry, data, runtime, effort)
    if arguments.json:
        print(json.dumps(verified.as_dict()))
    else:
        print(verified.verdict)
    return 0


def _facts(entry: WeightsEntry) -> dict[str, Any]:
    from resnext.weights.fetch import cached_file, web_address

    return {
        **entry.model_dump(mode="json"),
        "num_classes": entry.num_classes,
        "crop_fraction": round(entry.crop_fraction, 4),
        "web_address": web_address(entry),
        "place": str(cached_file(entry)),
    }


def _opened(name: str, arguments: WeightsInfo) -> dict[str, Any]:
    """Open a file, run or repository and describe its content."""
    from resnext.model.names import name_of
    from resnext.progress import show_download
    from resnext.weights.source import open_weights

    with show_download() as progress:
        weights = open_weights(name, accept_licence=arguments.accept_licence, progress=progress)
    card = weights.card.model_dump(mode="json")
    return {
        "name": name,
        "network": name_of(weights.config),
        "family": weights.family,
        "has_head": weights.has_head,
        "is_described": weights.is_described,
        "assumed": list(weights.assumed),
        "parameters": sum(
            tensor.numel()
            for key, tensor in weights.state.items()
            if key.endswith((".weight", ".bias"))
        ),
        "config": weights.config.model_dump(mode="json"),
        **{key: value for key, value in card.items() if key != "classes"},
        "num_classes": weights.config.num_classes if weights.has_head else None,
    }
