"""Which way up a photograph is, by the camera's notes in it (EXIF)."""

from __future__ import annotations

from PIL import ExifTags, Image

from resnext.data.decode.tiff_directory import check_exif

FIRST_ON_ITS_SIDE = 5
"""Of the eight orientations of EXIF, those from here on exchange width and height."""

_NOTES = frozenset({"exif", "xmp"})  # where Pillow looks for the orientation
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def orientation_of(image: Image.Image) -> int:
    """Return how the camera was held: 1 is upright, 5 and above on its side."""
    try:
        if image.format != "TIFF" and _NOTES.isdisjoint(image.info):
            return 1
        check_exif(image.info.get("exif", b""))
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    # Pixels are good even where the camera's notes beside them are not: any parsing error.
    except Exception:
        return 1
    return orientation if orientation in range(2, 9) else 1


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """Return a decoded image the right way up.

    Pillow's `exif_transpose` would also write the metadata again, which takes minutes if there
    is much of it.
    """
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)
