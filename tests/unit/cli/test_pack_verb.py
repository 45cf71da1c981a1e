from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from command import Command
from PIL import Image

from resnext.cli import pack as verb
from resnext.errors import ConfigError, RunError


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Make 24 photos of two classes in both splits."""
    generator = np.random.default_rng(0)
    root = tmp_path / "photos"
    for number in range(24):
        folder = root / ("train" if number < 16 else "val") / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = generator.integers(0, 256, (40, 60, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.jpg")
    return root


def run(*arguments: object) -> int:
    return verb.main([str(argument) for argument in arguments])


def test_it_packs_and_says_what_and_how_to_go_on(
    photos: Path, tmp_path: Path, command: Command
) -> None:
    out = command.prints("pack", photos, tmp_path / "packed", "--workers", "1")
    assert "train: 16 images in 1 shard(s)" in out
    assert f"resnext train --data {tmp_path / 'packed'}" in out


@pytest.mark.slow
def test_json_counts_samples_shards_and_bad_files(
    photos: Path, tmp_path: Path, command: Command
) -> None:
    (photos / "train" / "a" / "0.jpg").write_bytes(b"no image")
    packed = tmp_path / "packed"
    flags = ["--short-side", "20", "--workers", "2", "--json"]
    status, out, _ = command("pack", photos, packed, *flags)
    facts = json.loads(out)
    assert status == 1
    assert facts["path"] == str(packed)
    assert facts["classes"] == 2
    counts = {name: (row["samples"], row["bad_files"]) for name, row in facts["splits"].items()}
    assert counts == {"train": (15, 1), "val": (8, 0)}
    found = command.json("pack", "--check", packed)
    assert found == {"path": str(packed), "shards": 2, "samples": 23, "damage": []}


def test_check_names_the_damage_and_ends_with_1(
    photos: Path, tmp_path: Path, command: Command
) -> None:
    packed = tmp_path / "packed"
    run(photos, packed, "--workers", 1)
    with (packed / "val-000000.tar").open("r+b") as file:
        file.seek(600)
        file.write(b"???")
    status, out, err = command("pack", "--check", f"shards:{packed}", "--workers", "1")
    assert err.startswith("damaged val-000000.tar: ")
    assert (status, "1 damaged" in out) == (1, True)
    status, out, _ = command("pack", "--check", packed, "--workers", "1", "--json")
    assert status == 1
    (damage,) = json.loads(out)["damage"]
    assert damage["file"] == "val-000000.tar"
    assert damage["sample"].endswith(".jpg")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--workers", "0"], "--workers 0: give 1 or more"),
        (["--quality", "96"], "--quality 96: give 1 to 95"),
        (["--short-side", "0"], "--short-side 0"),
        (["--shard-mib", "0"], "--shard-mib 0"),
        (["--shard-mib", "nan"], "--shard-mib nan"),
        (["--check"], "--check takes a packed folder"),
    ],
)
def test_wrong_flags_are_refused(
    photos: Path, tmp_path: Path, flags: list[str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        run(photos, tmp_path / "packed", *flags)
    assert not (tmp_path / "packed").exists()


def test_settings_do_not_go_with_a_check(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no other settings"):
        run("--check", tmp_path, "--quality", 90)


def test_a_source_alone_is_not_enough(photos: Path) -> None:
    with pytest.raises(ConfigError, match="give SOURCE and DEST"):
        run(photos)


@pytest.mark.parametrize("source", ["digits", "packed"])
def test_what_is_no_set_of_files_is_refused(photos: Path, tmp_path: Path, source: str) -> None:
    run(photos, tmp_path / "packed", "--workers", 1)
    given = str(tmp_path / "packed") if source == "packed" else source
    with pytest.raises(ConfigError, match="cannot be packed"):
        run(given, tmp_path / "again")


def test_shards_inside_the_source_are_refused(photos: Path) -> None:
    with pytest.raises(ConfigError, match="is inside the source"):
        run(photos, photos / "packed")


def test_another_quality_for_the_same_folder_is_refused(photos: Path, tmp_path: Path) -> None:
    run(photos, tmp_path / "packed", "--workers", 1)
    with pytest.raises(RunError, match="--quality was none, now 50"):
        run(photos, tmp_path / "packed", "--workers", 1, "--quality", 50)


def pack_command(photos: Path, packed: Path) -> list[str]:
    code = "import sys; from resnext.cli.pack import main; sys.exit(main(sys.argv[1:]))"
    flags = ["--workers", "2", "--shard-mib", "0.02", "--quality", "90"]
    return [sys.executable, "-c", code, str(photos), str(packed), *flags]


@pytest.mark.slow
def test_a_pack_that_is_killed_goes_on_and_ends_with_the_same_bytes(
    photos: Path, tmp_path: Path
) -> None:
    for number in range(300):  # long enough to be met in the middle
        source = photos / "train" / "ab"[number % 2] / f"{number % 16}.jpg"
        if source.exists():
            os.link(source, source.with_name(f"copy{number}.jpg"))
    whole, packed = tmp_path / "whole", tmp_path / "packed"
    subprocess.run(pack_command(photos, whole), check=True)
    process = subprocess.Popen(pack_command(photos, packed))
    while process.poll() is None and len(list(packed.glob("*.tar"))) < 5:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (packed / "index.json").exists()
    finished = {path: path.stat().st_mtime_ns for path in (packed / ".pack").glob("*.tar.json")}
    kept = {path: (packed / path.stem).stat().st_mtime_ns for path in finished}
    subprocess.run(pack_command(photos, packed), check=True)
    assert {path: (packed / path.stem).stat().st_mtime_ns for path in finished} == kept
    assert finished
    contents = [
        {path.name: path.read_bytes() for path in folder.iterdir()} for folder in (whole, packed)
    ]
    assert contents[0] == contents[1]
