"""From the color modes of image files to RGB or grey, without transparency."""

from __future__ import annotations

from functools import lru_cache

from PIL import Image, ImageChops, ImageCms

_WITH_ALPHA = frozenset({"LA", "PA", "RGBA", "La", "RGBa"})


PREMULTIPLIED = "resnext premultiplied"
"""Key in an image's `info`: its colors were multiplied by their opacity."""


def flatten(image: Image.Image, mode: str) -> Image.Image:
    """Convert an image of 8 bits to a mode without transparency.

    Where it is transparent it lies on white. An image that is transparent everywhere would be
    nothing but white: there the opacity is taken for a mistake of the program that wrote it, and
    the colors are kept.

    Args:
        image: Of any mode of at most 8 bits a sample.
        mode: RGB or L.
    """
    if image.mode == "LAB":
        image = _lab_to_srgb().apply(image)
    if image.mode in _WITH_ALPHA or "transparency" in image.info:
        image = image if image.mode == "RGBA" else image.convert("RGBA")
        if image.getchannel("A").getextrema() == (0, 0):
            return image.convert("RGB").convert(mode)
        if PREMULTIPLIED in image.info:
            return _add_white(image).convert(mode)
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert(mode)


def _add_white(image: Image.Image) -> Image.Image:
    *colors, alpha = image.split()
    white = ImageChops.invert(alpha)
    return Image.merge("RGB", [ImageChops.add(color, white) for color in colors])


@lru_cache(maxsize=1)
def _lab_to_srgb() -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(
        ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB"
    )
