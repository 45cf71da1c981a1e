"""A cache of listings for tests; see `shard_fixtures` for how to take it."""

from pathlib import Path

import pytest

from resnext.data.sets import listing_cache


@pytest.fixture
def kept_listings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache that also keeps the listings of small folders, changed a moment ago."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(listing_cache, "_MIN_FILES", 4)
    monkeypatch.setattr(listing_cache, "_SETTLED_S", 0.0)
    return tmp_path / "cache"
