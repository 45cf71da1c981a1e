"""Write a network with its model card to a folder, or publish it on the Hugging Face Hub.

The folder contains the weights, a config.json that timm can read if it supports the network, a
model card, and for runs the training curves and settings. `resnext.load`, --weights and `resnext
evaluate` can open it.

Examples:
  resnext publish runs/photos --to photos-network --licence Apache-2.0
  resnext publish runs/photos --to photos-network --overwrite
  resnext publish runs/photos --repo me/photos --private --title "Photos of birds"
  resnext publish best.safetensors --repo me/photos --revision second --json
  resnext publish resnext50_32x4d.a1h_in1k --to resnext50
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from resnext.api.checks import refuse_ignored
from resnext.cli.arguments import option, parse
from resnext.errors import ConfigError
from resnext.sigterm import tidy_on_sigterm


@dataclass(frozen=True)
class Publish:
    """Write a network with its model card to a folder, or publish it on the Hub."""

    source: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="SOURCE")]
    """A run folder, a weight file, a name from `resnext weights list`, or OWNER/NAME."""
    to: Annotated[Path | None, option("FOLDER")] = None
    """Write to this new or empty folder."""
    repo: Annotated[str | None, option("OWNER/NAME")] = None
    """Publish to this Hub repository; it is created if missing."""
    private: bool = False
    """With --repo: make a new repository private."""
    revision: Annotated[str | None, option("BRANCH", "main")] = None
    """With --repo: the branch to commit to; it is created if missing."""
    message: Annotated[str, option("TEXT")] = ""
    """With --repo: the commit message."""
    title: Annotated[str, option("TEXT", "the network's name and data")] = ""
    """Heading of the model card."""
    licence: Annotated[str, option("SPDX", "the source's")] = ""
    """Licence of the weights, such as Apache-2.0."""
    overwrite: bool = False
    """With --to: replace the files of an earlier export; other files are kept."""
    accept_licence: bool = False
    """Download weights whose licence forbids commercial use; your use must be allowed."""
    json: bool = False
    """Print the folder and its files, or the address of the commit, as JSON."""


def main(argv: list[str]) -> int:
    """Run the verb.

    Raises:
        ConfigError: Neither or both of --to and --repo are given, or a flag has no effect.
        ResNeXtError: The weights, the folder or the Hub do not allow it.
    """
    arguments = parse(Publish, argv, __doc__, extra="--to")
    _check(arguments)
    with tidy_on_sigterm():
        if arguments.repo is not None:
            return _push(arguments, arguments.repo)
        assert arguments.to is not None
        return _save(arguments, arguments.to)


def _check(arguments: Publish) -> None:
    """Check that no flags contradict each other or would be ignored."""
    if (arguments.to is None) == (arguments.repo is None):
        raise ConfigError("give either --to FOLDER or --repo OWNER/NAME")
    if arguments.repo is None:
        refuse_ignored(arguments, ("private", "revision", "message"), "--repo")
    else:
        refuse_ignored(arguments, ("overwrite",), "--to")


def _save(arguments: Publish, folder: Path) -> int:
    # torch is imported from here on, after the arguments were found to be right
    from resnext.hub.save import FILES, save_pretrained

    save_pretrained(
        arguments.source,
        folder,
        title=arguments.title,
        licence=arguments.licence,
        overwrite=arguments.overwrite,
        accept_licence=arguments.accept_licence,
    )
    files = [name for name in FILES if (folder / name).exists()]
    timm = _timm_name(folder)
    if arguments.json:
        print(json.dumps({"folder": str(folder), "files": files, "timm": timm}))
        return 0
    print(f"wrote {folder}: {', '.join(files)}")
    print(f"opens with: resnext.load({str(folder)!r})")
    if timm is not None:
        print(f"and with timm: timm.create_model('local-dir:{folder}', pretrained=True)")
    return 0


def _timm_name(folder: Path) -> str | None:
    """Return timm's architecture name for the folder, None if timm does not support it."""
    from resnext.hub.save import HUB_CONFIG

    described = json.loads((folder / HUB_CONFIG).read_text(encoding="utf-8"))
    name: str | None = described.get("architecture")
    return name


def _push(arguments: Publish, repository: str) -> int:
    from resnext.hub.push import push_to_hub

    address = push_to_hub(
        arguments.source,
        repository,
        private=arguments.private,
        revision=arguments.revision,
        message=arguments.message,
        title=arguments.title,
        licence=arguments.licence,
        accept_licence=arguments.accept_licence,
    )
    if arguments.json:
        print(json.dumps({"repository": repository, "commit": address}))
    else:
        print(f"published {repository}: {address}")
    return 0
