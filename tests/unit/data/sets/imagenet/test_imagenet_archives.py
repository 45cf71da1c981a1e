"""Archives give up their images only: nothing hostile, nothing half-written, nothing twice."""

import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest
from imagenet_trees import add, class_tar, content_of, files_below

from resnext.data.sets.imagenet import archives
from resnext.data.sets.imagenet.archives import md5_of, open_tar, unpack_class
from resnext.errors import DataError

NAMES = [f"n01440764_{number}.JPEG" for number in range(5)]
EXPECTED = {name: content_of(name) for name in NAMES}


def unpack(archive: Path, folder: Path) -> int:
    with open_tar(archive) as tar:
        return unpack_class(tar, archive.name, folder, None)


def write_tar(path: Path, fill: Callable[[tarfile.TarFile], None]) -> Path:
    with tarfile.open(path, "w") as tar:
        fill(tar)
    return path


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "n01440764.tar"
    path.write_bytes(class_tar(NAMES))
    return path


def test_a_class_folder_gets_the_images_of_its_archive(archive: Path, tmp_path: Path) -> None:
    assert unpack(archive, tmp_path / "train" / "n01440764") == 5
    assert files_below(tmp_path / "train" / "n01440764") == EXPECTED


def test_compressed_archives_folders_in_them_and_other_files_are_taken_well(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as tar:
        folder = tarfile.TarInfo("./n01440764")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        add(tar, "./n01440764/" + NAMES[0], content_of(NAMES[0]))
        add(tar, "readme.txt", b"text")
    assert unpack(tmp_path / "a.tar.gz", tmp_path / "out") == 1
    assert files_below(tmp_path / "out") == {NAMES[0]: content_of(NAMES[0])}
    assert "left out 1 files" in caplog.text


@pytest.mark.parametrize("at", [0, 2, 4])
def test_a_kill_leaves_no_class_folder_and_going_on_gives_the_same(
    at: int, archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "train" / "n01440764"
    whole_copy, num_copied = archives.copy, 0

    def killed_halfway(source: IO[bytes], target: IO[bytes]) -> None:
        nonlocal num_copied
        if num_copied == at:
            target.write(source.read(3))
            target.flush()
            raise KeyboardInterrupt
        num_copied += 1
        whole_copy(source, target)

    monkeypatch.setattr(archives, "copy", killed_halfway)
    with pytest.raises(KeyboardInterrupt):
        unpack(archive, folder)
    assert not folder.exists()
    visible = {
        name: content
        for name, content in files_below(tmp_path / "train" / ".n01440764.partial").items()
        if not name.startswith(".")
    }
    assert visible == {name: EXPECTED[name] for name in NAMES[:at]}

    copied: list[str] = []

    def counted(source: IO[bytes], target: IO[bytes]) -> None:
        copied.append(Path(target.name).name)
        whole_copy(source, target)

    monkeypatch.setattr(archives, "copy", counted)
    assert unpack(archive, folder) == 5
    assert len(copied) == 5 - at
    assert files_below(tmp_path / "train") == {f"n01440764/{k}": v for k, v in EXPECTED.items()}


def test_a_whole_class_is_read_but_not_written_again(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unpack(archive, tmp_path / "out")

    def refused(*_: object) -> None:
        raise AssertionError("a whole image is written again")

    monkeypatch.setattr(archives, "copy", refused)
    assert unpack(archive, tmp_path / "out") == 5


def test_an_image_that_a_power_cut_emptied_is_written_again(archive: Path, tmp_path: Path) -> None:
    unpack(archive, tmp_path / "out")
    (tmp_path / "out" / NAMES[1]).write_bytes(b"")
    (tmp_path / "out" / NAMES[2]).unlink()
    unpack(archive, tmp_path / "out")
    assert files_below(tmp_path / "out") == EXPECTED


@pytest.mark.parametrize(
    "name",
    ["../evil.JPEG", "/tmp/evil.JPEG", "a/../../evil.JPEG", "..", "a\\b.JPEG", "C:evil.JPEG"],
)
def test_names_that_leave_the_folder_are_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    archive = write_tar(tmp_path / "in" / "evil.tar", lambda tar: add(tar, name, b"evil"))
    with pytest.raises(DataError, match="official archive"):
        unpack(archive, tmp_path / "in" / "train" / "n01440764")
    assert set(files_below(tmp_path)) == {"in/evil.tar"}


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE],
)
def test_links_and_devices_are_refused(kind: bytes, tmp_path: Path) -> None:
    def fill(tar: tarfile.TarFile) -> None:
        member = tarfile.TarInfo("n01440764_1.JPEG")
        member.type, member.linkname = kind, "/etc/passwd"
        tar.addfile(member)

    with pytest.raises(DataError, match="a link or a device"):
        unpack(write_tar(tmp_path / "evil.tar", fill), tmp_path / "train")
    assert not (tmp_path / "train").exists()


def test_a_link_on_disk_in_place_of_an_image_is_replaced_and_not_written_through(
    archive: Path, tmp_path: Path
) -> None:
    (tmp_path / "precious.txt").write_bytes(b"mine")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / NAMES[0]).symlink_to(tmp_path / "precious.txt")
    unpack(archive, tmp_path / "out")
    assert (tmp_path / "precious.txt").read_bytes() == b"mine"
    assert files_below(tmp_path / "out") == EXPECTED


def test_a_member_that_comes_twice_or_claims_an_absurd_size_is_refused(tmp_path: Path) -> None:
    def twice(tar: tarfile.TarFile) -> None:
        add(tar, "a/x.JPEG", b"1")
        add(tar, "b/x.JPEG", b"2")

    with pytest.raises(DataError, match="is repeated"):
        unpack(write_tar(tmp_path / "twice.tar", twice), tmp_path / "out")
    huge = tarfile.TarInfo("x.JPEG")
    huge.size = 1 << 40
    (tmp_path / "huge.tar").write_bytes(huge.tobuf() + bytes(1024))
    with pytest.raises(DataError, match=r"huge.tar: .* expands to more than 67,108,864 bytes"):
        unpack(tmp_path / "huge.tar", tmp_path / "out")
    huge.size = 257 << 20
    (tmp_path / "huge.tar").write_bytes(huge.tobuf())
    os.truncate(tmp_path / "huge.tar", 258 << 20)  # a hole, which takes no room on the disk
    with pytest.raises(DataError, match="256 MiB"):
        unpack(tmp_path / "huge.tar", tmp_path / "out")


def test_an_archive_that_ends_within_an_image_is_told(archive: Path, tmp_path: Path) -> None:
    with tarfile.open(archive) as tar:
        last = tar.getmembers()[-1]
    archive.write_bytes(archive.read_bytes()[: last.offset_data + 3])
    with pytest.raises(DataError, match=r"unpacking stopped|ends within it"):
        unpack(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [b"", b"no archive", bytes(10240)])
def test_a_file_that_is_no_archive_is_told(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(content)
    with pytest.raises(DataError, match=r"x\.tar"):
        unpack(tmp_path / "x.tar", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_missing_archive_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="give a tar archive"):
        unpack(tmp_path / "x.tar", tmp_path / "out")


def test_a_full_disk_is_told_with_what_to_do(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archives, "copy", full)
    with pytest.raises(DataError, match=r"No space left.*same command to resume"):
        unpack(archive, tmp_path / "out")


def test_md5_is_that_of_the_bytes_and_progress_tells_them(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    told: list[tuple[int, int | None]] = []
    # RFC 1321, appendix A.5
    assert md5_of(tmp_path / "abc", lambda *n: told.append(n)) == "900150983cd24fb0d6963f7d28e17f72"
    assert told == [(3, 3)]


def test_hard_links_inside_an_archive_are_never_followed(tmp_path: Path) -> None:
    def fill(tar: tarfile.TarFile) -> None:
        add(tar, NAMES[0], content_of(NAMES[0]))
        member = tarfile.TarInfo(NAMES[1])
        member.type, member.linkname = tarfile.LNKTYPE, NAMES[0]
        tar.addfile(member, io.BytesIO())

    with pytest.raises(DataError, match="a link or a device"):
        unpack(write_tar(tmp_path / "linked.tar", fill), tmp_path / "out")
    assert not (tmp_path / "out").exists()
