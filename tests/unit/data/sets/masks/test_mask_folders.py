"""Folders of images with masks: layouts, what values mean, and one message for each mistake."""

import io
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from mask_folders import NAMES, draw_shapes, write_shapes
from PIL import Image

from resnext.data.config import DataConfig
from resnext.data.decode.mask import decode_mask
from resnext.data.mask_split import MaskSplit
from resnext.data.sets.load import load_data
from resnext.data.sets.parse import parse_data
from resnext.data.sets.summary import WITHOUT_CLASS, summarise
from resnext.data.sets.summary_lines import summary_lines
from resnext.data.split import DataSet
from resnext.data.targets import IGNORED
from resnext.errors import DataError, ResNeXtError


def load(folder: Path, **changes: object) -> DataSet:
    return load_data(parse_data(str(folder)).replace(**changes))


def write_pairs(folder: Path, masks: list[np.ndarray], *, start: int = 0) -> None:
    """Write grey images with these masks, without a class list."""
    for name in ("images", "masks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for index, mask in enumerate(masks, start):
        Image.new("RGB", mask.shape[::-1], "grey").save(folder / "images" / f"{index}.jpg")
        Image.fromarray(mask).save(folder / "masks" / f"{index}.png")


def mask_of(*values: int) -> np.ndarray:
    """Return a mask of 4 x 6 pixels in which these values occur."""
    return np.resize(np.array(values, dtype=np.uint8), (4, 6))


FEW_OF_255 = np.repeat(np.array([0, 255], np.uint8), [200, 40]).reshape(12, 20)
SPECK = FEW_OF_255.copy()
SPECK[0, 0] = 1


@pytest.mark.parametrize(
    ("classes", "masks", "what"),
    [
        ("0 background\n1 cell\n", [FEW_OF_255] * 8, "no pixel has the class cell"),
        ("a\nb\nc\n", [FEW_OF_255] * 8, "no pixel has the class b"),
        (None, [FEW_OF_255] * 7 + [SPECK], "nearly all others are 0"),
    ],
)
def test_a_class_that_is_taken_for_none_is_reported(
    tmp_path: Path, classes: str | None, masks: list[np.ndarray], what: str
) -> None:
    write_pairs(tmp_path, masks)
    if classes is not None:
        (tmp_path / "classes.txt").write_text(classes)
    (remark,) = summarise(load(tmp_path)).warnings[:1]
    assert f"16.7 % of all pixels have the value 255 and so no class, and {what}. If 255" in remark


@pytest.mark.parametrize("values", [(0, 1, 0, 1, 0, 1, 255), (0, 1, 2, 0, 1, 2, 0, 1, 2)])
def test_masks_in_order_are_not_remarked_upon(tmp_path: Path, values: tuple[int, ...]) -> None:
    write_pairs(tmp_path, [mask_of(*values)] * 8)
    assert load(tmp_path).remarks == ()


def test_masks_without_any_class_are_refused(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("a\nb\n")
    write_pairs(tmp_path, [mask_of(255)] * 8)
    with pytest.raises(DataError, match="no pixel of the 7 masks for train has a class"):
        load(tmp_path)


def test_a_folder_with_images_and_masks_is_recognised(tmp_path: Path) -> None:
    write_shapes(tmp_path, num=20)
    config = parse_data(str(tmp_path))
    assert config.name == "masks"
    data = load_data(config)
    assert (data.info.classes, data.info.targets) == (NAMES, "mask")
    assert (len(data.train), len(data.val)) == (18, 2)
    split = data.train
    assert isinstance(split, MaskSplit)
    for index in range(len(split)):
        number = int(Path(split.name(index)).stem)
        _, mask = draw_shapes(number, 24, 24 + 4 * (number % 2))
        assert np.array_equal(split.reader(3).mask(index), mask)
        counts = [int((mask == value).sum()) for value in range(3)]
        assert split.targets_n[index].tolist() == counts
        assert split.shapes_n2[index].tolist() == list(mask.shape)


@pytest.mark.parametrize("pattern", ["{split}/{kind}", "{kind}/{split}"])
def test_splits_lie_above_or_below_images_and_masks(tmp_path: Path, pattern: str) -> None:
    write_shapes(tmp_path / "all", num=6)
    for number, split in enumerate(["train", "train", "train", "val", "test", "test"]):
        for kind in ("images", "masks"):
            folder = tmp_path / "set" / pattern.format(split=split, kind=kind)
            folder.mkdir(parents=True, exist_ok=True)
            name = f"{number:03}.png"
            (tmp_path / "all" / kind / name).rename(folder / name)
    data = load(tmp_path / "set")
    assert data.test is not None
    assert [len(split) for split in (data.train, data.val, data.test)] == [3, 1, 2]
    assert data.info.classes == ("0", "1", "2")  # no list: the values are the names


def test_masks_of_0_and_255_have_two_classes(tmp_path: Path) -> None:
    write_pairs(tmp_path, [mask_of(0, 255), mask_of(0), mask_of(255, 0, 0)] * 4)
    data = load(tmp_path)
    assert data.info.classes == ("background", "foreground")
    assert set(np.unique(data.train.reader(3).mask(0))) <= {0, 1}
    (tmp_path / "classes.txt").write_text("sky\ncat\n")
    assert load(tmp_path).info.classes == ("sky", "cat")


def test_255_has_no_class_where_other_values_occur(tmp_path: Path) -> None:
    write_pairs(tmp_path, [mask_of(0, 1, 255), mask_of(0, 255)] * 4)
    data = load(tmp_path)
    assert data.info.classes == ("0", "1")
    assert data.train.reader(3).mask(0).max() == IGNORED


def test_the_given_value_has_no_class_even_if_it_is_listed(tmp_path: Path) -> None:
    write_pairs(tmp_path, [mask_of(0, 1, 2)] * 4)
    (tmp_path / "classes.txt").write_text("road\ncar\nvoid\n")
    data = load(tmp_path, ignore_value=2)
    assert data.info.classes == ("road", "car")
    assert sorted(np.unique(data.train.reader(3).mask(0))) == [0, 1, IGNORED]


def test_a_list_may_give_values(tmp_path: Path) -> None:
    write_pairs(tmp_path, [mask_of(7, 255, 19)] * 4)
    (tmp_path / "classes.txt").write_text("# of the city\n19: car\n7: road\n255: sky\n")
    data = load(tmp_path)
    assert data.info.classes == ("car", "road", "sky")
    assert data.train.reader(3).mask(0)[0].tolist() == [1, 2, 0, 1, 2, 0]


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_values_of_any_depth_stay_as_they_are(bits: int) -> None:
    mask = (np.arange(16).reshape(4, 4) % 2**bits).astype(np.uint8)
    grey, palette = io.BytesIO(), io.BytesIO()
    if bits == 1:
        Image.fromarray(mask.astype(bool)).save(grey, "PNG")
    else:
        write_grey_png(grey, mask, bits)
    image = Image.fromarray(mask, "P")
    image.putpalette([number % 7 * 30 for number in range(3 * 2**bits)])
    image.save(palette, "PNG", bits=bits)
    for file in (grey, palette):
        assert np.array_equal(decode_mask(file.getvalue()), mask)


def write_grey_png(file: io.BytesIO, mask: np.ndarray, bits: int) -> None:
    """Write a grey PNG of few bits, which Pillow does not."""
    import struct
    import zlib

    height, width = mask.shape
    rows = b""
    for row in mask:
        text = "".join(f"{value:0{bits}b}" for value in row)
        text += "0" * (-len(text) % 8)
        rows += b"\0" + int(text, 2).to_bytes(len(text) // 8, "big")
    file.write(b"\x89PNG\r\n\x1a\n")
    header = struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0)
    for kind, content in ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")):
        check = struct.pack(">I", zlib.crc32(kind + content))
        file.write(struct.pack(">I", len(content)) + kind + content + check)


def remove_mask(folder: Path) -> None:
    (folder / "masks" / "001.png").unlink()


def enlarge_mask(folder: Path) -> None:
    Image.new("L", (30, 30)).save(folder / "masks" / "001.png")


def color_mask(folder: Path) -> None:
    Image.new("RGB", (28, 24), "red").save(folder / "masks" / "001.png")


def jpeg_mask(folder: Path) -> None:
    Image.new("L", (28, 24)).save(folder / "masks" / "001.png", "JPEG")


def unknown_value(folder: Path) -> None:
    Image.new("L", (28, 24), 77).save(folder / "masks" / "001.png")


def torn_mask(folder: Path) -> None:
    path = folder / "masks" / "001.png"
    path.write_bytes(path.read_bytes()[:60])


def colors_listed(folder: Path) -> None:
    (folder / "classes.txt").write_text("0 0 0 sky\n128 0 0 car\n")


def listed_twice(folder: Path) -> None:
    (folder / "classes.txt").write_text("sky\ncar\nsky\n")


def no_images(folder: Path) -> None:
    for path in (folder / "images").iterdir():
        path.unlink()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (remove_mask, "1 of 8 images .* have no mask: 001.png.* 001.png, or remove"),
        (
            enlarge_mask,
            "masks/001.png has 30 x 30 pixels, but its image 001.png has 28 x 24; create",
        ),
        (color_mask, "masks/001.png: has colours .RGB. instead of class numbers; masks are PNG"),
        (jpeg_mask, "masks/001.png: .*masks are PNG files"),
        (unknown_value, "001.png has the value 77, .* 3 classes of classes.txt .*ignore_value=77"),
        (torn_mask, "masks/001.png: .*repair it, or remove image and mask"),
        (colors_listed, "lists colours, but .* one class name per line"),
        (listed_twice, "lists 'sky' twice"),
        (no_images, "contains no image"),
    ],
)
def test_each_mistake_has_one_message_that_names_the_file(
    tmp_path: Path, spoil: Callable[[Path], None], message: str
) -> None:
    write_shapes(tmp_path, num=8)
    spoil(tmp_path)
    with pytest.raises(DataError, match=message) as caught:
        load(tmp_path)
    assert "\n" not in str(caught.value)


def test_masks_of_one_class_teach_nothing(tmp_path: Path) -> None:
    write_pairs(tmp_path, [mask_of(0)] * 3)
    with pytest.raises(DataError, match="one class"):
        load(tmp_path)


def test_grey_levels_are_no_classes(tmp_path: Path) -> None:
    write_pairs(tmp_path, [np.arange(240, dtype=np.uint8).reshape(15, 16)] * 3)
    with pytest.raises(DataError, match="grey levels"):
        load(tmp_path)


def test_another_layout_is_named(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(DataError, match="accepted are images/ and masks/"):
        load_data(DataConfig(name="masks", root=tmp_path))


def test_settings_for_masks_are_refused_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(ResNeXtError, match="ignore_value is for name='masks'"):
        DataConfig(name="folder", root=tmp_path, ignore_value=3)
    with pytest.raises(ResNeXtError, match="classes is not for name='masks'"):
        DataConfig(name="masks", root=tmp_path, classes=("0", "1"))


def test_a_class_of_one_image_stays_in_training(tmp_path: Path) -> None:
    masks = [mask_of(0, 1)] * 12
    masks[5] = mask_of(0, 1, 2)
    write_pairs(tmp_path, masks)
    data = load(tmp_path, val_fraction=0.4)
    assert int(data.train.targets_n[:, 2].sum()) == 8
    assert len(data.val) > 2


def test_a_check_says_how_much_of_the_pixels_each_class_has(tmp_path: Path) -> None:
    write_pairs(tmp_path, [mask_of(0, 0, 0, 0, 1, 255)] * 4)
    summary = summarise(load(tmp_path))
    assert summary.pixel_shares == pytest.approx(
        {"0": 400 / 6, "1": 100 / 6, WITHOUT_CLASS: 100 / 6}
    )
    line = dict(summary_lines(summary))["pixels"]
    assert re.fullmatch(r"0 66.7 %, 1 16.7 %; without a class 16.7 %", line)


def test_all_splits_can_be_put_together(tmp_path: Path) -> None:
    write_shapes(tmp_path, num=10)
    data = load(tmp_path)
    train, val = data.train, data.val
    whole = train.join([val])
    assert len(whole) == 10
    assert np.array_equal(whole.reader(3).mask(len(train)), val.reader(3).mask(0))
    assert torch.equal(whole.targets_n[len(train) :], val.targets_n)


def test_images_outside_the_splits_are_reported(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mask = mask_of(0, 1)
    for split in ("train", "val", "extra"):
        write_pairs(tmp_path / "inside" / split, [mask, mask])
        for kind in ("images", "masks"):
            (tmp_path / "outside" / kind).mkdir(parents=True, exist_ok=True)
            source = tmp_path / "inside" / split / kind
            shutil.copytree(source, tmp_path / "outside" / kind / split)
    Image.new("RGB", (6, 4)).save(tmp_path / "outside" / "images" / "z.png")
    assert len(load_data(parse_data(f"masks:{tmp_path / 'outside'}")).train) == 2
    assert "left out 3 images beside the folders of the splits: extra/0.jpg" in caplog.text
    assert len(load_data(parse_data(f"masks:{tmp_path / 'inside'}")).train) == 2
    assert "left out folders with masks beside the splits: extra" in caplog.text
