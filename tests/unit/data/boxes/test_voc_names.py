"""The images and sizes that Pascal VOC's files mean, whatever program wrote them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from resnext.data.boxes.box_set import BoxSet
from resnext.data.boxes.read import load_boxes
from resnext.errors import DataError

SIZE = "<size><width>100</width><height>50</height></size>"
NOTE = "coordinates that count from 1, as their smallest ones tell"
OTHER_NAME = "XML files whose image has another name than they tell"
OBJECT = (
    "<object><name>cat</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax>"
    "</bndbox></object>"
)


def write_xml(root: Path, stem: str, name: str, size: str = SIZE, tag: str = "annotation") -> None:
    (root / "Annotations").mkdir(parents=True, exist_ok=True)
    text = f"<{tag}><filename>{name}</filename>{size}{OBJECT}</annotation>"
    (root / "Annotations" / f"{stem}.xml").write_text(text, encoding="utf-8")


def draw(root: Path, *names: str) -> None:
    (root / "JPEGImages").mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.new("RGB", (100, 50)).save(root / "JPEGImages" / name)


def write_list(root: Path, split: str, text: str) -> None:
    folder = root / "ImageSets" / "Main"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{split}.txt").write_text(text, encoding="utf-8")


def images_of(data: BoxSet, split: str = "train") -> list[str]:
    return [image.path.name for image in data.splits[split]]


def told(data: BoxSet) -> dict[str, int]:
    return {finding.text: finding.num for finding in data.findings if finding.text != NOTE}


@pytest.mark.parametrize(
    ("name", "file", "is_told"),
    [
        ("a.jpg", "a.jpg", False),
        ("images/a.jpg", "a.jpg", False),
        ("C:\\x\\a.jpg", "a.jpg", False),
        ("../a.jpg", "a.jpg", False),
        ("images/", "a.jpg", False),
        ("old.jpg", "a.jpg", False),
        ("a", "a.jpg", True),
        ("a.jpg", "a.png", True),
        ("old.jpg", "a.PNG", True),
        ("b.jpg", "b.png", True),
        ("my.photo", "my.photo.png", True),
    ],
)
def test_an_image_is_found_by_its_name_or_by_that_of_its_xml(
    tmp_path: Path, name: str, file: str, is_told: bool
) -> None:
    write_xml(tmp_path, "a", name)
    draw(tmp_path, file)
    data = load_boxes(f"voc:{tmp_path}")
    assert images_of(data) == [file]
    assert told(data) == ({OTHER_NAME: 1} if is_told else {})


def test_copied_xml_files_that_all_name_one_image_get_their_own(tmp_path: Path) -> None:
    for stem in ("a", "b", "c"):
        write_xml(tmp_path, stem, "a.jpg")
    draw(tmp_path, "a.jpg", "b.png", "other.jpg")
    data = load_boxes(f"voc:{tmp_path}")
    assert images_of(data) == ["a.jpg", "b.png", "a.jpg"]
    assert told(data) == {
        "XML files with the name of another one's image, given their own": 1,
        "images that several XML files name, kept": 1,
    }


@pytest.mark.parametrize("size", ["", "<size/>", "<size><depth>3</depth></size>"])
def test_a_size_that_is_not_recorded_is_read_from_the_image(tmp_path: Path, size: str) -> None:
    write_xml(tmp_path, "a", "a.jpg", size)
    write_xml(tmp_path, "b", "b.jpg", size)
    draw(tmp_path, "a.jpg")
    (tmp_path / "JPEGImages" / "b.jpg").write_bytes(b"no image")
    data = load_boxes(f"voc:{tmp_path}")
    (image,) = data.splits["train"]
    assert (image.width, image.height) == (100, 50)
    assert told(data) == {
        "images whose size is not in their XML, read from them": 1,
        "images that cannot be read, left out": 1,
    }


def test_sizes_with_a_fraction_of_zero_and_namespaces_are_read(tmp_path: Path) -> None:
    size = "<size><width>100.0</width><height> 50 </height></size>"
    write_xml(tmp_path, "a", "a.jpg", size, 'annotation xmlns="http://example.org/voc"')
    draw(tmp_path, "a.jpg")
    (image,) = load_boxes(f"voc:{tmp_path}").splits["train"]
    assert (image.width, image.height) == (100, 50)
    assert image.boxes_n4.tolist() == [[0, 0, 9, 9]]


@pytest.mark.parametrize("side", ["64.5", "nan", "inf", "wide", "", "1e999", "9" * 5000])
def test_a_side_that_is_no_whole_number_is_refused(tmp_path: Path, side: str) -> None:
    size = f"<size><width>{side}</width><height>50</height></size>"
    write_xml(tmp_path, "a", "a.jpg", size)
    draw(tmp_path, "a.jpg")
    with pytest.raises(DataError, match="must be whole numbers of pixels, not '") as caught:
        load_boxes(f"voc:{tmp_path}")
    assert len(str(caught.value)) < 400


def test_xml_of_something_else_is_refused(tmp_path: Path) -> None:
    draw(tmp_path, "a.jpg")
    (tmp_path / "a.xml").write_text("<html><body/></html>", encoding="utf-8")
    with pytest.raises(DataError, match="has neither a filename nor a size nor an object"):
        load_boxes(f"voc:{tmp_path}")


@pytest.mark.parametrize(
    "line",
    ["my img 0", "my img 0  1", "my img 0.jpg", "x/my img 0.jpg", "images\\my img 0.xml", "my"],
)
def test_a_line_of_a_list_may_hold_blanks_and_an_extension(tmp_path: Path, line: str) -> None:
    for stem in ("my img 0", "my"):
        write_xml(tmp_path, stem, f"{stem}.jpg")
        draw(tmp_path, f"{stem}.jpg")
    write_list(tmp_path, "train", f"{line}\n")
    wanted = "my.jpg" if line == "my" else "my img 0.jpg"
    assert images_of(load_boxes(f"voc:{tmp_path}")) == [wanted]


@pytest.mark.parametrize("line", ["a 1", "a.jpg", "a.jpg 1", "JPEGImages/a.jpg -1", "./a"])
def test_the_first_word_of_a_line_is_a_name_too(tmp_path: Path, line: str) -> None:
    write_xml(tmp_path, "a", "a.jpg")
    draw(tmp_path, "a.jpg")
    write_list(tmp_path, "val", f"{line}\n")
    assert images_of(load_boxes(f"voc:{tmp_path}"), "val") == ["a.jpg"]


def test_an_image_that_a_list_names_twice_counts_once(tmp_path: Path) -> None:
    for stem in ("a", "b"):
        write_xml(tmp_path, stem, f"{stem}.jpg")
        draw(tmp_path, f"{stem}.jpg")
    write_list(tmp_path, "train", "b\na\n\nb.jpg\n")
    data = load_boxes(f"voc:{tmp_path}")
    assert images_of(data) == ["b.jpg", "a.jpg"]
    assert told(data) == {"images that a list names twice, counted once": 1}
    assert data.findings[0].places == ("train.txt: line 4",)


def test_an_empty_list_is_no_split(tmp_path: Path) -> None:
    write_xml(tmp_path, "a", "a.png")
    draw(tmp_path, "a.png")
    write_list(tmp_path, "train", "a\n")
    write_list(tmp_path, "val", "\n")
    assert list(load_boxes(f"voc:{tmp_path}").splits) == ["train"]
