import pytest
from PIL import Image

from resnext.data.prepare.geometry import cut_long, resize_short_side


def ramp(width: int, height: int) -> Image.Image:
    """Return an image each of whose pixels has the number of its place along the long side."""
    image = Image.new("I", (width, height))
    image.putdata([max(x, y) for y in range(height) for x in range(width)])
    return image


@pytest.mark.parametrize(("width", "height"), [(40, 1), (1, 40)])
def test_of_a_long_image_the_middle_is_kept(width: int, height: int) -> None:
    cut = cut_long(ramp(width, height))
    assert sorted(cut.size) == [1, 10]
    assert (cut.width > cut.height) == (width > height)
    assert [cut.getpixel((n, 0) if width > height else (0, n)) for n in range(10)] == [
        *range(15, 25)
    ]


@pytest.mark.parametrize("size", [(30, 3), (3, 30), (7, 7)])
def test_an_image_of_up_to_ten_to_one_stays_whole(size: tuple[int, int]) -> None:
    image = Image.new("L", size)
    assert cut_long(image) is image


def test_a_line_of_pixels_is_resized_within_bounds() -> None:
    assert resize_short_side(Image.new("L", (20_000, 1)), 8).size == (80, 8)
