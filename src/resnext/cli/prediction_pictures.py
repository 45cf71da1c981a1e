"""The files that `resnext predict` writes for each image: pictures of predictions, and masks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from resnext.errors import ConfigError, RunError
from resnext.inference.files import Prediction
from resnext.tasks.answer import Answer

Read = Callable[[Path], Image.Image]


class PictureFolder:
    """A folder with one file per image, of the same name; repeated names are numbered."""

    def __init__(self, folder: Path) -> None:
        """Create the folder.

        Raises:
            RunError: It cannot be created.
        """
        self._folder = folder
        self._used: Counter[str] = Counter()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(
                f"cannot create the folder {folder}: {error.strerror}; choose another"
            ) from None

    def save(self, path: Path, picture: Image.Image) -> None:
        """Write the picture that belongs to an image file.

        Raises:
            RunError: It cannot be written, or would replace the image itself.
        """
        self._used[path.stem] += 1
        number = self._used[path.stem]
        name = path.stem if number == 1 else f"{path.stem}-{number}"
        target = self._folder / f"{name}.png"
        if target.exists() and target.samefile(path):
            raise RunError(
                f"{target} is the image itself and would be overwritten; choose another folder"
            )
        try:
            picture.save(target, "PNG")
        except OSError as error:
            raise RunError(f"cannot write {target}: {error.strerror or error}") from None


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
            ConfigError: Masks are requested, but the network classifies whole images.
            RunError: A folder cannot be created.
        """
        if masks is not None and not answers.has_mask:
            raise ConfigError(
                "--masks: this network classifies whole images and has no masks; leave it out"
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
