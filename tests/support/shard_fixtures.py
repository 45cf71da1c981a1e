"""One packed set of photos for all tests of shards, and a server and an empty cache for each.

A test module takes them with `pytest_plugins = ["shard_fixtures"]`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from remote_sets import pack_photos, use_cache
from shard_server import ShardServer, serve


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pack_photos(tmp_path_factory.mktemp("template")).parent


@pytest.fixture
def packed(template: Path, tmp_path: Path) -> Path:
    """A packed set that a test may damage, beside the photos that were packed."""
    return shutil.copytree(template, tmp_path / "trees") / "packed"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return use_cache(tmp_path / "cache", monkeypatch)


@pytest.fixture
def server(packed: Path, cache: Path) -> Iterator[ShardServer]:
    assert cache
    with serve(packed) as server:
        yield server
