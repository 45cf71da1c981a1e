"""ImageNet-5K follows its written rule, and its list and tree are the same everywhere."""

import tarfile
from pathlib import Path
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imagenet_trees import (
    LAYOUT,
    TRAIN_COUNTS,
    add,
    class_tar,
    content_of,
    files_below,
    train_names,
    write_files,
    write_tree,
)

from resnext.data.sets.imagenet import archives
from resnext.data.sets.imagenet.class_file import ClassRow, class_text, parse_text, read_text
from resnext.data.sets.imagenet.five_k import (
    choose_classes,
    find_synsets,
    measure_imagenet,
    measure_sizes,
)
from resnext.data.sets.imagenet.five_k_tree import build_tree, keep_list
from resnext.errors import ConfigError, DataError

# Beside a class of ImageNet-1K (n01440764, larger here than any other): sizes with a tie.
FULL = {"n01440764": 9, "n00000005": 4, "n00000003": 4, "n09999999": 4, "n05000000": 6}


def write_full(root: Path, folders: tuple[str, ...] = ()) -> Path:
    """Write the full set as archives, some of it as folders."""
    root.mkdir(parents=True)
    for synset, num in FULL.items():
        if synset in folders:
            write_files(root / synset, train_names(synset, num))
        else:
            (root / f"{synset}.tar").write_bytes(class_tar(train_names(synset, num)))
    (root / "words.txt").write_text("n00000003\tthing\n")
    return root


def test_the_largest_others_are_taken_and_ties_go_to_the_lower_synset() -> None:
    chosen = choose_classes(FULL, TRAIN_COUNTS, len(TRAIN_COUNTS) + 3)
    assert chosen.rows == (
        ClassRow("n00000003", "full", 4),
        ClassRow("n00000005", "full", 4),
        ClassRow("n01440764", "imagenet1k", 3),  # its own training images, not the full set's 9
        ClassRow("n02100735", "imagenet1k", 2),
        ClassRow("n02119789", "imagenet1k", 4),
        ClassRow("n03255030", "imagenet1k", 3),
        ClassRow("n05000000", "full", 6),
    )
    assert (chosen.num_full_synsets, chosen.num_full_images) == (5, 27)
    assert chosen.num_tied_out == 1  # n09999999


@given(
    sizes=st.dictionaries(st.integers(0, 60), st.integers(0, 4), max_size=40),
    own=st.sets(st.integers(0, 60), min_size=1, max_size=10),
    extra=st.integers(0, 30),
)
def test_no_other_left_out_should_have_been_taken(
    sizes: dict[int, int], own: set[int], extra: int
) -> None:
    named = {f"n{number:08}": size for number, size in sizes.items()}
    owned = {f"n{number:08}": 7 for number in own}
    candidates = {name for name, size in named.items() if size and name not in owned}
    if extra > len(candidates):
        with pytest.raises(DataError, match=f"has {len(candidates)} with images"):
            choose_classes(named, owned, len(owned) + extra)
        return
    chosen = choose_classes(named, owned, len(owned) + extra)
    taken = {row.synset for row in chosen.of("full")}
    assert {row.synset for row in chosen.of("imagenet1k")} == set(owned)
    assert len(taken) == extra
    assert taken <= candidates
    assert [row.synset for row in chosen.rows] == sorted(taken | set(owned))
    for left in candidates - taken:
        for name in taken:
            assert named[name] > named[left] or (named[name] == named[left] and name < left)


def test_fewer_classes_than_imagenet_1k_are_refused() -> None:
    with pytest.raises(ConfigError, match="--num-classes 3: ImageNet-1K alone has 4"):
        choose_classes(FULL, TRAIN_COUNTS, 3)


@pytest.mark.parametrize("folders", [(), ("n00000005", "n01440764"), tuple(FULL)])
def test_archives_and_folders_give_the_same_sizes(folders: tuple[str, ...], tmp_path: Path) -> None:
    told: list[int] = []
    synsets = find_synsets(write_full(tmp_path / "full", folders))
    assert measure_sizes(synsets, told.append) == FULL
    assert sum(told) == 27


def test_a_synset_as_archive_and_folder_is_refused(tmp_path: Path) -> None:
    write_full(tmp_path / "full")
    write_files(tmp_path / "full" / "n00000005", ["x.JPEG"])
    with pytest.raises(DataError, match="n00000005 both as an archive and as a folder"):
        find_synsets(tmp_path / "full")


def test_a_folder_without_synsets_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="contains no synset"):
        find_synsets(tmp_path)
    with pytest.raises(DataError, match="is not a folder"):
        find_synsets(tmp_path / "nowhere")


def test_a_missing_class_of_imagenet_1k_is_named(tmp_path: Path) -> None:
    write_tree(tmp_path)
    assert measure_imagenet(tmp_path, LAYOUT.synsets) == TRAIN_COUNTS
    (tmp_path / "train" / "n02119789").rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match=r"train/ lacks n02119789;.*--check"):
        measure_imagenet(tmp_path, LAYOUT.synsets)


def test_the_list_tells_its_rule_and_counts_and_reads_back() -> None:
    chosen = choose_classes(FULL, TRAIN_COUNTS, 7)
    text = class_text(chosen)
    comments = [line for line in text.splitlines() if line.startswith("# ")]
    header = " ".join(line[2:] for line in comments)
    assert "The 4 classes of ImageNet-1K and the 3 largest other synsets" in header
    assert "of equal sizes the lower synset id comes first" in header
    assert "ancestors and descendants" in header
    assert "Full set: 5 synsets, 27 images." in header
    assert "ImageNet-1K: 4 classes, 12 training images." in header
    assert "3 classes, 14 images; the smallest has 4, and 1 left out are of that size" in header
    assert parse_text(text, Path("list.tsv")) == chosen.rows
    assert "n02119789\timagenet1k\t4\n" in text


def test_the_list_is_the_same_from_any_place_in_any_order(tmp_path: Path) -> None:
    texts = set()
    for number, folders in enumerate(((), ("n05000000",))):
        root = tmp_path / str(number)
        imagenet = write_tree(root / "imagenet")
        sizes = measure_sizes(find_synsets(write_full(root / "full", folders)))
        shuffled = dict(reversed(sizes.items())) if number else sizes
        own = measure_imagenet(imagenet, LAYOUT.synsets)
        texts.add(class_text(choose_classes(shuffled, own, 6)))
    assert len(texts) == 1
    assert str(tmp_path) not in texts.pop()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a class list"),
        ("n01440764\n", "is not a class list"),
        ("synset\tsource\tnum_images\n", "must be sorted"),
        ("synset\tsource\tnum_images\nn2\tfull\t1\n", "is not a synset"),
        ("synset\tsource\tnum_images\nn00000002\tmine\t1\n", "is not a synset"),
        ("synset\tsource\tnum_images\nn00000002\tfull\t1\nn00000001\tfull\t1\n", "be sorted"),
    ],
)
def test_what_is_no_list_is_refused(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        parse_text(text, Path("list.tsv"))


def test_a_list_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot read the class list"):
        read_text(tmp_path / "nowhere.tsv")


class Built:
    """The sets of a tree and how to build it."""

    def __init__(self, root: Path, folders: tuple[str, ...]) -> None:
        self.imagenet = write_tree(root / "imagenet")
        self.synsets = find_synsets(write_full(root / "full", folders))
        self.rows = choose_classes(FULL, TRAIN_COUNTS, 7).rows
        self.out = root / "out"

    def build(self) -> None:
        build_tree(self.rows, self.synsets, self.imagenet, self.out)


def expected_files() -> dict[str, set[str]]:
    own = {synset: set(train_names(synset, num)) for synset, num in TRAIN_COUNTS.items()}
    others = ("n00000003", "n00000005", "n05000000")
    return own | {synset: set(train_names(synset, FULL[synset])) for synset in others}


@pytest.mark.parametrize("folders", [(), ("n00000005",), tuple(FULL)])
def test_the_tree_holds_every_class_to_train_and_imagenet_1k_to_validate(
    folders: tuple[str, ...], tmp_path: Path
) -> None:
    built = Built(tmp_path, folders)
    built.build()
    built.build()  # a second time changes nothing
    found = {
        folder.name: {path.name for path in folder.iterdir()}
        for folder in (built.out / "train").iterdir()
    }
    assert found == expected_files()
    for folder in (built.out / "train").iterdir():
        for path in folder.iterdir():
            assert path.read_bytes() == content_of(path.name)
    assert sorted(path.name for path in (built.out / "val").iterdir()) == list(LAYOUT.synsets)
    for synset in LAYOUT.synsets:
        assert files_below(built.out / "val" / synset) == files_below(
            built.imagenet / "val" / synset
        )


def test_a_kill_while_archives_are_unpacked_is_gone_on_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = Built(tmp_path, ())
    whole_copy, num_copied = archives.copy, 0

    def killed(source: IO[bytes], target: IO[bytes]) -> None:
        nonlocal num_copied
        num_copied += 1
        if num_copied == 6:  # in the second of the archives
            raise KeyboardInterrupt
        whole_copy(source, target)

    monkeypatch.setattr(archives, "copy", killed)
    with pytest.raises(KeyboardInterrupt):
        built.build()
    assert not (built.out / "train" / "n00000005").exists()
    assert len(files_below(built.out / "train" / "n00000003")) == 4
    monkeypatch.setattr(archives, "copy", whole_copy)
    built.build()
    found = {path.name for path in (built.out / "train").iterdir()}
    assert found == set(expected_files())


def test_a_class_with_other_counts_than_the_list_is_refused(tmp_path: Path) -> None:
    built = Built(tmp_path, ("n00000005",))
    (tmp_path / "full" / "n00000005" / "n00000005_1.JPEG").unlink()
    with pytest.raises(DataError, match="contains 3 images, but the class list has 4"):
        built.build()


def test_a_class_without_images_is_named_before_anything_is_made(tmp_path: Path) -> None:
    built = Built(tmp_path, ())
    (built.imagenet / "val" / "n02100735").rename(tmp_path / "elsewhere")
    del built.synsets["n05000000"]
    with pytest.raises(DataError, match="no images of n05000000, val/n02100735"):
        built.build()
    assert not built.out.exists()


def test_classes_that_are_not_on_the_list_are_not_let_stay(tmp_path: Path) -> None:
    built = Built(tmp_path, ())
    (built.out / "train" / "n00000001").mkdir(parents=True)
    with pytest.raises(DataError, match="contains n00000001, which are not in the class list"):
        built.build()


def test_a_tree_begun_with_another_list_is_refused(tmp_path: Path) -> None:
    keep_list(tmp_path, class_text(choose_classes(FULL, TRAIN_COUNTS, 6)))
    with pytest.raises(DataError, match="differs from the selected or given class list"):
        keep_list(tmp_path, class_text(choose_classes(FULL, TRAIN_COUNTS, 7)))


def test_a_hostile_archive_of_the_full_set_is_refused(tmp_path: Path) -> None:
    full = write_full(tmp_path / "full")
    with tarfile.open(full / "n00000005.tar", "w") as tar:
        add(tar, "../evil.JPEG", b"evil")
    with pytest.raises(DataError, match=r"n00000005\.tar.*would leave the folder"):
        measure_sizes(find_synsets(full))
