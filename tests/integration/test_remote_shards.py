"""A training that fetches its shards ends, killed or not, where one on the local folder ends."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from packed_trees import write_stripes
from runs import assert_same_bits, finish, small_run, start
from shard_server import ShardServer, serve
from tiny_config import TINY

from resnext.cli import evaluate as evaluate_verb
from resnext.cli import pack as pack_verb
from resnext.data.augment.config import AugmentConfig
from resnext.data.config import DataConfig
from resnext.data.sets.parse import parse_data
from resnext.data.shards.cache import used_bytes
from resnext.data.shards.remote import GIB
from resnext.runs.config import ScheduleConfig, TrainConfig
from resnext.runs.folder import open_run


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_stripes(tmp_path_factory.mktemp("remote") / "photos", 120, 40)
    folder = root.with_name("packed")
    arguments = [str(root), str(folder), "--shard-mib", "0.05", "--workers", "1"]
    assert pack_verb.main(arguments) == 0
    assert len(list(folder.glob("train-*.tar"))) > 4
    return folder


@pytest.fixture
def server(packed: Path) -> Iterator[ShardServer]:
    with serve(packed, "503", "drop") as server:
        yield server


def settings(data: DataConfig) -> TrainConfig:
    return small_run(
        model=TINY,
        data=data.replace(image_size_px=24, workers=2),
        augment=AugmentConfig(crop="resized", flip=True, mixup=0.2),
        schedule=ScheduleConfig(kind="cosine", epochs=4),
        batch_size=16,
    )


@pytest.mark.parametrize("num_cached", [None, 4])
def test_a_killed_run_on_fetched_shards_ends_as_one_on_the_folder(
    packed: Path, server: ShardServer, tmp_path: Path, num_cached: int | None
) -> None:
    local, remote = parse_data(str(packed)), parse_data(server.address)
    if num_cached is not None:
        largest = max(path.stat().st_size for path in packed.glob("*.tar")) / GIB
        remote = remote.replace(cache_gib=num_cached * largest, shuffle_gib=2 * largest)
        local = local.replace(shuffle_gib=2 * largest)
    finish(settings(local), tmp_path / "local")
    run, cache = tmp_path / "remote", tmp_path / "cache"
    process = start(settings(remote), run, XDG_CACHE_HOME=str(cache))
    while not (run / "last.safetensors").exists():
        assert process.exitcode is None
        time.sleep(0.01)
    process.kill()
    process.join()
    assert open_run(run).data.url == server.address
    finish(open_run(run), run, XDG_CACHE_HOME=str(cache))
    assert_same_bits(run, tmp_path / "local")
    if remote.cache_gib is not None:
        assert used_bytes(cache / "resnext" / "shards") <= remote.cache_gib * GIB + 1


def test_a_run_is_evaluated_on_an_address(
    packed: Path, server: ShardServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    finish(settings(parse_data(str(packed))), tmp_path / "run")
    figures = []
    for number, data in enumerate((str(packed), server.address)):
        out = tmp_path / f"{number}.json"
        flags = ["--quiet", "--device", "cpu", "--out", str(out)]
        assert evaluate_verb.main([str(tmp_path / "run"), "--data", data, *flags]) == 0
        figures.append(json.loads(out.read_text()))
    assert figures[0]["num_images"] == 40
    assert figures[0]["loss"] == figures[1]["loss"]
