"""Images as Python programs hold them become the pixels that a file of them has."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from resnext.data.decode.image import Photo
from resnext.data.decode.python_image import has_colour, to_photo, to_pixels
from resnext.errors import ConfigError, DataError

COLOUR_HWC = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
GREY_HW = COLOUR_HWC[:, :, 0]


def pixels(value: object, in_channels: int = 3) -> list[object]:
    photo = to_photo(value, in_channels)
    image = photo.load() if isinstance(photo, Photo) else photo
    assert image.mode == ("RGB" if in_channels == 3 else "L")
    found: list[object] = np.asarray(image).tolist()
    return found


def png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, format="png")
    return file.getvalue()


def test_every_form_of_a_picture_has_its_pixels(tmp_path: Path) -> None:
    image = Image.fromarray(COLOUR_HWC)
    image.save(tmp_path / "image.png")
    chw = torch.from_numpy(COLOUR_HWC).permute(2, 0, 1)
    forms = (
        *(tmp_path / "image.png", str(tmp_path / "image.png"), png(image), bytearray(png(image))),
        *(image, COLOUR_HWC, chw, chw.contiguous().requires_grad_(False)),
        *(COLOUR_HWC / 255, (COLOUR_HWC / 255).astype(np.float32), chw / 255, chw.double() / 255),
    )
    for form in forms:
        assert pixels(form) == COLOUR_HWC.tolist(), type(form)


def test_grey_pictures_come_with_and_without_a_channel() -> None:
    tensor = torch.from_numpy(GREY_HW)
    for form in (GREY_HW, GREY_HW[:, :, None], tensor, tensor[None], GREY_HW / 255):
        assert pixels(form, 1) == GREY_HW.tolist()
        assert pixels(form, 3) == np.stack([GREY_HW] * 3, axis=2).tolist()
        assert not has_colour(form)
    assert has_colour(COLOUR_HWC)
    assert pixels(COLOUR_HWC, 1) == pixels(Image.fromarray(COLOUR_HWC), 1)


def test_what_is_transparent_lies_on_white_as_in_files() -> None:
    rgba = np.dstack([COLOUR_HWC, np.full((5, 7), 100, np.uint8)])
    assert pixels(rgba) == pixels(Image.fromarray(rgba)) == pixels(png(Image.fromarray(rgba)))
    assert pixels(torch.from_numpy(rgba).permute(2, 0, 1)) == pixels(rgba)


def test_a_picture_that_lies_on_its_side_is_turned_as_in_files() -> None:
    notes = Image.Exif()
    notes[0x0112] = 6
    file = io.BytesIO()
    Image.fromarray(COLOUR_HWC).save(file, format="png", exif=notes)
    turned = pixels(Image.open(io.BytesIO(file.getvalue())))
    assert turned == pixels(file.getvalue()) == np.rot90(COLOUR_HWC, -1).tolist()


def test_deep_pictures_are_brought_to_eight_bits_as_in_files() -> None:
    deep = Image.fromarray(GREY_HW.astype(np.uint16) * 257)
    assert deep.mode.startswith("I;16")
    assert pixels(deep, 1) == pixels(png(deep), 1) == GREY_HW.tolist()


def test_floats_of_a_tensor_round_back_to_the_pixels_they_came_from() -> None:
    levels = torch.arange(256, dtype=torch.uint8).reshape(16, 16)
    for floats in (levels.float() / 255, levels.double() / 255, (levels.double() / 255).numpy()):
        assert to_pixels(floats).tolist() == levels.tolist()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.zeros((3, 5, 7), np.uint8), r"move the channels last: array.transpose\(1, 2, 0\)"),
        (torch.zeros(5, 7, 3), r"move the channels first: tensor.permute\(2, 0, 1\)"),
        (np.zeros((2, 5, 7, 3), np.uint8), r"shape \(2, 5, 7, 3\) is not an image"),
        (np.zeros(5, np.uint8), r"shape \(5,\) is not an image"),
        (np.zeros((0, 7), np.uint8), "holds no pixel"),
        (np.zeros((5, 7), np.int64), "an image of int64: give uint8"),
        (np.zeros((5, 7), bool), "an image of bool: give uint8"),
        (np.full((5, 7), 1.5), "floats from 1.5 to 1.5: give values in 0..1, before they are norm"),
        (torch.full((3, 5, 7), -0.1), r"floats from -0.1 to -0.1"),
        (np.full((5, 7), np.nan), "floats from nan to nan"),
        (17, "an image of type int: give a path, the bytes"),
        (None, "an image of type NoneType"),
    ],
)
def test_what_is_no_picture_is_refused_with_the_remedy(value: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        to_photo(value, 3)


def test_a_bad_file_is_the_readers_error(tmp_path: Path) -> None:
    for value in (tmp_path / "none.png", b"no image", b""):
        with pytest.raises(DataError):
            to_photo(value, 3)
