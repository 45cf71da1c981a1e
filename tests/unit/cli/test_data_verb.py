"""`resnext data`: ImageNet checked and prepared, ImageNet-5K listed and built."""

import io
import json
import shutil
import tarfile
from pathlib import Path

import pytest
from command import Command
from python_process import run_python

from resnext.cli.data import main
from resnext.data.sets.imagenet import five_k, layout, prepare
from resnext.data.sets.imagenet.layout import ImageNetLayout
from resnext.errors import ConfigError, DataError, RunError

SYNSETS = ("n01440764", "n02119789")
VAL_SYNSETS = ("n02119789", "n01440764", "n01440764", "n02119789")


@pytest.fixture(autouse=True)
def two_classes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ImageNet-1K be two classes of two images each in each split."""
    small = ImageNetLayout(SYNSETS, num_train=4, least_train=2, most_train=2, num_val=2)
    monkeypatch.setattr(layout, "imagenet_1k", lambda: small)


def write_tar(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def class_tar(path: Path, synset: str, num: int) -> Path:
    return write_tar(path, {f"{synset}_{number}.JPEG": b"image" for number in range(num)})


@pytest.fixture
def archives(tmp_path: Path) -> dict[str, str]:
    """Write the archives and return the flags that give them."""
    inner = {
        f"{synset}.tar": class_tar(tmp_path / "x.tar", synset, 2).read_bytes() for synset in SYNSETS
    }
    val = {f"ILSVRC2012_val_{number:08}.JPEG": b"image" for number in range(1, 5)}
    (tmp_path / "truth.txt").write_text("".join(f"{name}\n" for name in VAL_SYNSETS))
    return {
        "--train": str(write_tar(tmp_path / "train.tar", inner)),
        "--val": str(write_tar(tmp_path / "val.tar", val)),
        "--ground-truth": str(tmp_path / "truth.txt"),
    }


def flags(archives: dict[str, str], *names: str) -> list[str]:
    return [part for name in names for part in (name, archives[name])]


@pytest.fixture
def prepared(archives: dict[str, str], tmp_path: Path) -> Path:
    argv = ["imagenet", "--prepare", str(tmp_path / "set"), "--force", *flags(archives, *archives)]
    assert main(argv) == 0
    return tmp_path / "set"


def test_prepare_then_check_finds_a_complete_set(prepared: Path, command: Command) -> None:
    lines = command.prints("data", "imagenet", "--check", prepared).splitlines()
    assert lines[:2] == ["train: 4 images in 2 classes", "val: 4 images in 2 classes"]
    assert lines[2].endswith("is complete")
    assert (prepared / "val" / "n02119789" / "ILSVRC2012_val_00000001.JPEG").exists()
    assert (prepared / "classes.tsv").read_text() == "n01440764\ttench\nn02119789\tkit fox\n"


def test_check_tells_what_is_wrong_as_lines_and_as_json(prepared: Path, command: Command) -> None:
    (prepared / "train" / "n01440764").rename(prepared / "elsewhere")
    status, out, _ = command("data", "imagenet", "--check", prepared)
    assert status == 1
    assert "train, missing class (1):\n  n01440764: no folder" in out
    status, out, _ = command("data", "imagenet", "--check", prepared, "--json")
    found = json.loads(out)
    assert status == 1
    assert (found["complete"], found["num_images"]) == (False, {"train": 2, "val": 4})
    assert [(problem["kind"], problem["name"]) for problem in found["problems"]] == [
        ("missing class", "n01440764"),
        ("wrong total", "train"),
    ]


def test_an_archive_that_is_not_the_published_one_is_refused_unless_forced(
    archives: dict[str, str], tmp_path: Path, command: Command
) -> None:
    argv = ["imagenet", "--prepare", str(tmp_path / "set"), *flags(archives, "--train")]
    with pytest.raises(DataError, match=r"train\.tar: MD5 is [0-9a-f]{32}.*--force"):
        main(argv)
    assert not (tmp_path / "set" / "train").exists()
    status, out, err = command("data", *argv, "--force", "--json")
    assert status == 0
    assert "resnext: warning" in err
    (checksum,) = json.loads(out)["checksums"]
    assert checksum["published"] == layout.ARCHIVES["train"].md5 != checksum["found"]


def test_flat_validation_images_are_found_and_then_sorted(
    prepared: Path, archives: dict[str, str], command: Command
) -> None:
    for path in list((prepared / "val").rglob("*.JPEG")):
        path.rename(prepared / "val" / path.name)
    status, out, _ = command("data", "imagenet", "--check", prepared)
    assert (status, "--prepare" in out) == (1, True)
    with pytest.raises(ConfigError, match=r"4 images in .*val: give --devkit"):
        main(["imagenet", "--prepare", str(prepared)])
    argv = ["imagenet", "--prepare", str(prepared), *flags(archives, "--ground-truth")]
    assert main(argv) == 0
    assert main(["imagenet", "--check", str(prepared)]) == 0


def write_full(root: Path) -> Path:
    root.mkdir()
    for synset, num in {"n00000001": 3, "n00000002": 5, "n00000003": 3}.items():
        class_tar(root / f"{synset}.tar", synset, num)
    return root


def test_imagenet_5k_is_listed_and_the_list_builds_the_tree(
    prepared: Path, tmp_path: Path, command: Command
) -> None:
    full = write_full(tmp_path / "full")
    sets = ["imagenet5k", "--full", str(full), "--imagenet", str(prepared)]
    listing, tree = tmp_path / "list.tsv", tmp_path / "tree"
    assert "4 classes, 2 of ImageNet-1K and 2 others; 12 training" in command.prints(
        "data", *sets, "--num-classes", "4", "--out", listing
    )
    rows = [line.split("\t")[0] for line in listing.read_text().splitlines() if line[0] == "n"]
    assert rows == ["n00000001", "n00000002", "n01440764", "n02119789"]
    assert command.json("data", *sets, "--classes", listing, "--out", tree)["num_others"] == 2
    assert sorted(path.name for path in (tree / "train").iterdir()) == rows
    assert sorted(path.name for path in (tree / "val").iterdir()) == list(SYNSETS)
    assert (tree / "imagenet5k.tsv").read_bytes() == listing.read_bytes()
    chosen = tmp_path / "chosen"
    assert main([*sets, "--num-classes", "4", "--out", str(chosen)]) == 0
    assert (chosen / "imagenet5k.tsv").read_bytes() == listing.read_bytes()


def refuse_to_read(_: object) -> int:
    raise AssertionError("an archive was read though nothing can be written")


@pytest.mark.parametrize(
    ("out", "error", "message"),
    [
        ("missing/list.tsv", RunError, "a folder that does not exist"),
        ("file/tree", DataError, "cannot fill .*file/tree: .*Not a directory"),
        ("file", DataError, "file is a file"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused_before_the_archives_are_read(
    prepared: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    out: str,
    error: type[Exception],
    message: str,
) -> None:
    (tmp_path / "file").touch()
    full = write_full(tmp_path / "full")
    monkeypatch.setattr(five_k, "_size", refuse_to_read)
    sets = ["imagenet5k", "--full", str(full), "--imagenet", str(prepared)]
    with pytest.raises(error, match=message):
        main([*sets, "--num-classes", "4", "--out", str(tmp_path / out)])


def test_a_list_that_cannot_be_written_in_the_end_is_one_message(
    prepared: Path, tmp_path: Path
) -> None:
    full = write_full(tmp_path / "full")
    (tmp_path / "list.tsv.partial").mkdir()
    sets = ["imagenet5k", "--full", str(full), "--imagenet", str(prepared)]
    with pytest.raises(RunError, match=r"cannot write .*list\.tsv: Is a directory"):
        main([*sets, "--num-classes", "4", "--out", str(tmp_path / "list.tsv")])


def test_preparing_is_refused_before_the_checksums_where_nothing_can_be_written(
    archives: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(prepare, "md5_of", refuse_to_read)
    argv = ["imagenet", "--prepare", str(tmp_path / "file" / "set"), *flags(archives, *archives)]
    with pytest.raises(DataError, match=r"cannot fill .*set: .*Not a directory"):
        main(argv)


@pytest.mark.parametrize("place", ["classes.tsv.partial/x", "val/n02119789"])
def test_a_file_in_the_way_of_preparing_is_one_message(
    prepared: Path, archives: dict[str, str], place: str
) -> None:
    shutil.rmtree(prepared / "val")
    (prepared / "val").mkdir()
    (prepared / "val" / "ILSVRC2012_val_00000001.JPEG").write_bytes(b"image")
    (prepared / place).parent.mkdir(exist_ok=True)
    (prepared / place).touch()
    argv = ["imagenet", "--prepare", str(prepared), *flags(archives, "--ground-truth")]
    with pytest.raises(DataError, match=f"cannot fill {prepared}: .*Existing files are complete"):
        main(argv)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["imagenet"], "one of --check DIR and --prepare DIR"),
        (["imagenet", "--check", "a", "--prepare", "b"], "one of --check DIR and --prepare"),
        (
            ["imagenet", "--check", "a", "--force"],
            "--force has no effect here; it belongs",
        ),
        (
            ["imagenet", "--check", "a", "--full", "b"],
            "--full has no effect on .data imagenet.;",
        ),
        (
            ["imagenet", "--check", "a", "--num-classes", "0"],
            "--num-classes has no effect on",
        ),
        (["imagenet", "--prepare", "a"], "nothing to do"),
        (["imagenet", "--prepare", "a", "--val", "b"], "--val b: give --devkit"),
        (["imagenet", "--prepare", "a", "--devkit", "b", "--ground-truth", "c"], "give either"),
        (["imagenet5k", "--full", "a"], "takes --full DIR, --imagenet DIR and --out"),
        (
            ["imagenet5k", "--check", "a"],
            "--check has no effect on .data imagenet5k.;",
        ),
    ],
)
def test_flags_that_contradict_or_have_no_effect_are_refused(argv: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        main(argv)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--classes", "c.tsv", "--num-classes", "3"], "--num-classes has no effect here"),
        (["--classes", "c.tsv", "--out", "list.tsv"], "--classes is already one"),
    ],
)
def test_a_given_list_leaves_nothing_to_choose(more: list[str], message: str) -> None:
    argv = ["imagenet5k", "--full", "a", "--imagenet", "b", "--out", "c", *more]
    with pytest.raises(ConfigError, match=message):
        main(argv)


def test_two_processes_do_not_fill_one_folder(prepared: Path, archives: dict[str, str]) -> None:
    from filelock import FileLock

    argv = ["imagenet", "--prepare", str(prepared), "--force", *flags(archives, "--train")]
    with (
        FileLock(prepared / ".writer.lock"),
        pytest.raises(DataError, match="another process"),
    ):
        main(argv)
    assert main(argv) == 0


def test_a_check_does_not_import_torch(tmp_path: Path) -> None:
    run_python(
        f"import sys; from resnext.cli.data import main; "
        f"main(['imagenet', '--check', {str(tmp_path)!r}]); assert 'torch' not in sys.modules"
    )


def test_help_has_examples(command: Command) -> None:
    assert "resnext data imagenet5k" in command.help("data").partition("Examples")[2]
