"""The EXIF orientation of a photograph."""

from __future__ import annotations

from PIL import ExifTags, Image

from resnext.data.decode.tiff_directory import check_exif

FIRST_ON_ITS_SIDE = 5
"""EXIF orientations from this one on swap width and height."""

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
    """Return the EXIF orientation: 1 is upright, 5 and above are rotated by 90 degrees."""
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
    """Return a decoded image with its orientation applied.

    Pillow's `exif_transpose` would also rewrite the metadata, which can take minutes.
    """
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)
