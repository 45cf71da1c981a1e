"""Writes `requirements-dev.lock`: the versions of the tests' environment, as this Python has them.

    python deploy/write_lock.py

Run it where `pip install -e '.[dev]'` has installed everything and the tests pass.
"""

from __future__ import annotations

import platform
import tomllib
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements-dev.lock"


def main() -> None:
    """Write the file."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pins = pinned(project["name"], project["dependencies"], project["optional-dependencies"])
    lines = [
        f"# The environment of the tests, on Python {platform.python_version()}.",
        "# Install it with `make locked`; `make lock` writes this file.",
        *(f"{name}=={version}" for name, version in sorted(pins.items())),
    ]
    LOCK.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{LOCK.name}: {len(pins)} packages")


def pinned(own: str, dependencies: list[str], extras: dict[str, list[str]]) -> dict[str, str]:
    """Return the installed versions of all packages that the tests need, also indirectly.

    Args:
        own: Name of the project.
        dependencies: Its requirements.
        extras: Requirements of its extras; those of `dev` are included.

    Raises:
        PackageNotFoundError: One is not installed.
    """
    waiting = [(text, "") for text in (*dependencies, *extras["dev"])]
    found: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    while waiting:
        text, active = waiting.pop()
        requirement = Requirement(text)
        name = canonicalize_name(requirement.name)
        if requirement.marker and not requirement.marker.evaluate({"extra": active}):
            continue
        for wanted in ("", *requirement.extras):
            if (name, wanted) in seen:
                continue
            seen.add((name, wanted))
            if name == own:
                waiting += [(line, "") for line in extras.get(wanted, ())]
                continue
            installed = distribution(name)
            found[name] = Version(installed.version).public  # torch adds +cpu and the like
            waiting += [(line, wanted) for line in installed.requires or ()]
    return found


if __name__ == "__main__":
    main()
