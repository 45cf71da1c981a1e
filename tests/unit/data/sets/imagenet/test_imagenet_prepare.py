"""The official archives become the official tree, by the official numbers, despite kills."""

import io
import tarfile
from pathlib import Path
from typing import IO

import pytest
from imagenet_trees import (
    BY_NUMBER,
    LAYOUT,
    NUMBERS,
    TRAIN_COUNTS,
    VAL_SYNSETS,
    add,
    class_tar,
    content_of,
    files_below,
    meta_mat,
    numbers_text,
    train_names,
    val_name,
    write_devkit,
    write_files,
    write_train_tar,
    write_tree,
    write_val_tar,
)
from scipy.io import savemat

from resnext.data.sets.imagenet import archives
from resnext.data.sets.imagenet.ground_truth import read_devkit, read_ground_truth
from resnext.data.sets.imagenet.prepare import (
    compare_checksum,
    sort_val,
    unpack_train,
    write_classes,
)
from resnext.errors import ConfigError, DataError


def prepare(root: Path, sources: Path) -> None:
    truth = read_devkit(sources / "devkit.tar.gz", LAYOUT)
    unpack_train(sources / "train.tar", root / "train", LAYOUT)
    sort_val(root, sources / "val.tar", truth.val_synsets)


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    folder = tmp_path / "sources"
    folder.mkdir()
    write_train_tar(folder / "train.tar")
    write_val_tar(folder / "val.tar")
    write_devkit(folder / "devkit.tar.gz")
    return folder


def test_the_archives_become_the_official_tree(sources: Path, tmp_path: Path) -> None:
    prepare(tmp_path / "set", sources)
    assert files_below(tmp_path / "set") == files_below(write_tree(tmp_path / "expected"))


def test_numbers_are_those_of_the_kit_and_not_alphabetical_places() -> None:
    # Number 1 is the kit fox, whose synset is the third of our four by the alphabet. Reading
    # numbers as places would put every image but those of one class into a wrong folder.
    assert BY_NUMBER[0] == "n02119789" != LAYOUT.synsets[0]
    alphabetical = tuple(LAYOUT.synsets[number - 1] for number in NUMBERS)
    assert alphabetical != VAL_SYNSETS


def test_the_kit_tells_the_class_of_every_image_and_the_exact_counts(sources: Path) -> None:
    truth = read_devkit(sources / "devkit.tar.gz", LAYOUT)
    assert truth.val_synsets == VAL_SYNSETS
    assert truth.val_synsets[1] == "n02119789"  # the second line is 1
    assert truth.train_counts == TRAIN_COUNTS


def test_a_kit_that_was_unpacked_reads_the_same(sources: Path, tmp_path: Path) -> None:
    with tarfile.open(sources / "devkit.tar.gz") as tar:
        tar.extractall(tmp_path, filter="data")
    folder = tmp_path / "ILSVRC2012_devkit_t12"
    expected = read_devkit(sources / "devkit.tar.gz", LAYOUT)
    assert read_devkit(folder, LAYOUT) == expected
    numbers = folder / "data" / "ILSVRC2012_validation_ground_truth.txt"
    assert read_ground_truth(numbers, LAYOUT) == expected


def test_numbers_without_the_kits_table_are_refused(tmp_path: Path) -> None:
    (tmp_path / "truth.txt").write_bytes(numbers_text())
    with pytest.raises(ConfigError, match=r"map them to synsets; give --devkit"):
        read_ground_truth(tmp_path / "truth.txt", LAYOUT)


def test_synsets_a_line_and_kaggles_solution_tell_the_same(tmp_path: Path) -> None:
    (tmp_path / "synsets.txt").write_text("\n".join(VAL_SYNSETS) + "\n")
    rows = [
        f"{val_name(number).removesuffix('.JPEG')},{synset} 85 1 499 272 {synset} 1 2 3 4 \n"
        for number, synset in enumerate(VAL_SYNSETS, start=1)
    ]
    text = "ImageId,PredictionString\n" + "".join(reversed(rows))
    (tmp_path / "LOC_val_solution.csv").write_text(text)
    for name in ("synsets.txt", "LOC_val_solution.csv"):
        assert read_ground_truth(tmp_path / name, LAYOUT).val_synsets == VAL_SYNSETS
    (tmp_path / "LOC_val_solution.csv").write_text(text + rows[0])
    with pytest.raises(DataError, match="each once"):
        read_ground_truth(tmp_path / "LOC_val_solution.csv", LAYOUT)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((*NUMBERS[:-1], 5), "line 8, '5', is not the number of a class"),  # an ancestor
        (NUMBERS[:-1], "7 lines"),
        ((*NUMBERS[:-1], 1), "unlike for n02100735, n02119789"),
        ((0, *NUMBERS[1:]), "line 1, '0'"),
    ],
)
def test_ground_truth_that_is_not_the_official_is_refused(
    numbers: tuple[int, ...], message: str, tmp_path: Path
) -> None:
    devkit = write_devkit(tmp_path / "devkit.tar.gz", numbers=numbers_text(numbers))
    with pytest.raises(DataError, match=message):
        read_devkit(devkit, LAYOUT)


def other_mat() -> bytes:
    buffer = io.BytesIO()
    savemat(buffer, {"other": 1})
    return buffer.getvalue()


@pytest.mark.parametrize(
    "meta",
    [b"", b"torn" * 100, meta_mat()[:400], other_mat(), meta_mat(BY_NUMBER[:3])],
    ids=["empty", "foreign", "torn", "without synsets", "a class short"],
)
def test_a_table_that_is_not_the_kits_is_refused(meta: bytes, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="give the development kit of ILSVRC 2012"):
        read_devkit(write_devkit(tmp_path / "devkit.tar.gz", meta=meta), LAYOUT)


def test_an_archive_that_is_no_kit_is_refused(sources: Path) -> None:
    with pytest.raises(DataError, match=r"no data/meta\.mat"):
        read_devkit(sources / "val.tar", LAYOUT)


@pytest.mark.parametrize("at", range(20))
def test_a_kill_at_any_image_and_the_same_command_again_give_the_tree(
    at: int, sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = files_below(write_tree(tmp_path / "expected"))
    whole_copy, num_copied = archives.copy, 0

    def killed(source: IO[bytes], target: IO[bytes]) -> None:
        nonlocal num_copied
        if num_copied == at:
            target.write(b"half")
            raise KeyboardInterrupt
        num_copied += 1
        whole_copy(source, target)

    monkeypatch.setattr(archives, "copy", killed)
    with pytest.raises(KeyboardInterrupt):
        prepare(tmp_path / "set", sources)
    monkeypatch.setattr(archives, "copy", whole_copy)
    # Whatever a loader sees by now is whole: each class folder, each image, the split.
    for synset in LAYOUT.synsets:
        folder = tmp_path / "set" / "train" / synset
        assert not folder.exists() or len(files_below(folder)) == TRAIN_COUNTS[synset]
    assert not (tmp_path / "set" / "val").exists()
    prepare(tmp_path / "set", sources)
    assert files_below(tmp_path / "set") == expected


def test_flat_validation_images_are_moved(sources: Path, tmp_path: Path) -> None:
    names = [val_name(number) for number in range(1, 9)]
    write_files(tmp_path / "set" / "val", names)
    # as a killed command leaves it: some are moved already
    write_files(tmp_path / "set" / "val" / VAL_SYNSETS[3], [])
    (tmp_path / "set" / "val" / names[3]).rename(
        tmp_path / "set" / "val" / VAL_SYNSETS[3] / names[3]
    )
    assert sort_val(tmp_path / "set", None, VAL_SYNSETS) == 7
    expected = files_below(write_tree(tmp_path / "expected") / "val")
    assert files_below(tmp_path / "set" / "val") == expected
    assert sort_val(tmp_path / "set", sources / "val.tar", VAL_SYNSETS) == 8
    assert files_below(tmp_path / "set" / "val") == expected


def test_one_strange_name_and_no_validation_image_moves(tmp_path: Path) -> None:
    write_files(tmp_path / "val", [val_name(1), val_name(9)])
    with pytest.raises(DataError, match=r"ILSVRC2012_val_00000009\.JPEG: not the name"):
        sort_val(tmp_path, None, VAL_SYNSETS)
    assert set(files_below(tmp_path / "val")) == {val_name(1), val_name(9)}


def test_a_short_validation_archive_makes_no_validation_folder(
    sources: Path, tmp_path: Path
) -> None:
    write_val_tar(sources / "val.tar", num=7)
    with pytest.raises(DataError, match="7 images instead of 8"):
        sort_val(tmp_path / "set", sources / "val.tar", VAL_SYNSETS)
    assert not (tmp_path / "set" / "val").exists()


def test_a_training_archive_that_ends_early_names_the_missing_class(tmp_path: Path) -> None:
    counts = {name: num for name, num in TRAIN_COUNTS.items() if name != "n02119789"}
    archive = write_train_tar(tmp_path / "train.tar", counts)
    with pytest.raises(DataError, match="n02119789 missing"):
        unpack_train(archive, tmp_path / "train", LAYOUT)


@pytest.mark.parametrize("name", ["n99999999.tar", "n01440764.JPEG", "x/n01440764.zip"])
def test_a_training_archive_with_anything_else_is_refused(name: str, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "train.tar", "w") as tar:
        add(tar, name, class_tar(train_names("n01440764", 1)))
    with pytest.raises(DataError, match="not the archive of one of the classes"):
        unpack_train(tmp_path / "train.tar", tmp_path / "train", LAYOUT)


def test_a_hostile_archive_inside_the_training_archive_is_refused(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as inner:
        add(inner, "../../../evil.JPEG", b"evil")
    with tarfile.open(tmp_path / "train.tar", "w") as outer:
        add(outer, "n01440764.tar", buffer.getvalue())
    with pytest.raises(DataError, match=r"n01440764\.tar.*would leave the folder"):
        unpack_train(tmp_path / "train.tar", tmp_path / "set" / "train", LAYOUT)
    assert set(files_below(tmp_path)) == {"train.tar"}


def test_class_names_are_written_in_the_order_of_outputs(tmp_path: Path) -> None:
    rows = write_classes(tmp_path, LAYOUT).read_text().splitlines()
    assert [row.split("\t")[0] for row in rows] == sorted(BY_NUMBER)
    assert rows[0] == "n01440764\ttench"


def test_checksums_are_held_against_the_published(sources: Path) -> None:
    torchvision = pytest.importorskip("torchvision.datasets.imagenet")
    for part in ("train", "val", "devkit"):
        name = "devkit.tar.gz" if part == "devkit" else f"{part}.tar"
        checksum = compare_checksum(part, sources / name)
        assert checksum.published == torchvision.ARCHIVE_META[part][1]
        assert not checksum.agrees
    with pytest.raises(DataError, match="cannot read"):
        compare_checksum("val", sources / "nowhere.tar")


def test_a_kept_image_of_another_size_is_written_again(sources: Path, tmp_path: Path) -> None:
    write_tree(tmp_path / "set")
    torn = tmp_path / "set" / "train" / "n02119789" / "n02119789_1.JPEG"
    torn.write_bytes(content_of(torn.name)[:-1])
    prepare(tmp_path / "set", sources)
    assert torn.read_bytes() == content_of(torn.name)
