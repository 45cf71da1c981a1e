"""The files that `resnext predict` writes for each image: pictures of predictions, and masks."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from resnext.errors import ConfigError, RunError
from resnext.inference.files import Prediction
from resnext.tasks.answer import Answer

Read = Callable[[Path], Image.Image]


_SOFTWARE = "resnext predict"


class PictureFolder:
    """A folder with one file per image, of the same name; repeated names are numbered.

    Files of an earlier call are replaced, and no others.
    """

    def __init__(self, folder: Path) -> None:
        """Create the folder.

        Raises:
            RunError: It cannot be created.
        """
        self._folder = folder
        self._used: set[str] = set()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(
                f"cannot create the folder {folder}: {error.strerror}; choose another"
            ) from None

    def save(self, path: Path, picture: Image.Image) -> None:
        """Write the picture that belongs to an image file.

        Raises:
            RunError: It cannot be written, or would replace a file that this command did not write.
        """
        target = self._folder / f"{self._new_name(path.stem)}.png"
        if target.exists() and not _is_ours(target):
            raise RunError(
                f"{target} exists and was not written by `resnext predict`; choose another folder"
            )
        mark = PngInfo()
        mark.add_text("Software", _SOFTWARE)
        try:
            picture.save(target, "PNG", pnginfo=mark)
        except OSError as error:
            raise RunError(f"cannot write {target}: {error.strerror or error}") from None

    def _new_name(self, stem: str) -> str:
        """Return a name that no image of this call has; file systems may ignore letter case."""
        names = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
        name = next(name for name in names if name.casefold() not in self._used)
        self._used.add(name.casefold())
        return name


def _is_ours(path: Path) -> bool:
    """Return whether an earlier call wrote a file: its mark is at the beginning."""
    try:
        with path.open("rb") as file:
            return b"Software\0" + _SOFTWARE.encode() in file.read(1024)
    except OSError:
        return False


class Pictures:
    """The files written for each prediction."""

    def __init__(
        self, answers: type[Answer], read: Read, draw: Path | None, masks: Path | None
    ) -> None:
        """Create the requested folders.

        Args:
            answers: The type of the answers.
            read: Reads an image again, upright.
            draw: Folder of images with their predictions, or None.
            masks: Folder of masks, or None.

        Raises:
            ConfigError: Masks are requested, but the network does not classify pixels.
            RunError: A folder cannot be created.
        """
        if masks is not None and not answers.has_mask:
            raise ConfigError(
                "--masks: this network does not classify pixels; leave it out. Masks of objects "
                "are printed by --json and drawn by --draw"
            )
        if draw is not None and masks is not None and draw.resolve() == masks.resolve():
            raise ConfigError(
                "--draw and --masks would write files of the same names; give two folders"
            )
        self._read = read
        self._draw = None if draw is None else PictureFolder(draw)
        self._masks = None if masks is None else PictureFolder(masks)

    def write(self, row: Prediction) -> None:
        """Write the files of one image; bad images and images without a file have none."""
        if row.answer is None or row.path is None:
            return
        if self._draw is not None:
            self._draw.save(row.path, row.answer.draw(self._read(row.path)))
        if self._masks is not None:
            self._masks.save(row.path, row.answer.to_image())
