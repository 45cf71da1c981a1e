"""A JPEG without the metadata segments that can make Pillow fail."""

from __future__ import annotations

import io

from PIL.JpegImagePlugin import JpegImageFile

from resnext.data.decode.jpeg_limits import read_jpeg_header


class JpegFile(JpegImageFile):
    """A JPEG opened with Pillow, without segments that do not affect pixels.

    EXIF and XMP metadata is in `info`. Of several pictures (MPO) the first is used.

    Attributes:
        content: The file without those segments.
    """

    def __init__(self, data: bytes) -> None:
        """Read the header.

        Args:
            data: The file.

        Raises:
            DataError: It is damaged, see `read_jpeg_header`.
            SyntaxError: It is damaged.
        """
        header = read_jpeg_header(data)
        self.content = data
        if header.notes:
            ends = [0, *(end for _, end in header.notes)]
            starts = [*(start for start, _ in header.notes), len(data)]
            view = memoryview(data)
            self.content = b"".join(
                view[end:start] for end, start in zip(ends, starts, strict=True)
            )
        super().__init__(io.BytesIO(self.content))
        for key, value in (("exif", header.exif), ("xmp", header.xmp)):
            if value:
                self.info[key] = value
