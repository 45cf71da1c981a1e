"""The files that `resnext predict` writes for each image: pictures of the answers, and masks."""

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
    """A folder that gets a file for each image, called like it; names that recur are numbered."""

    def __init__(self, folder: Path) -> None:
        """Make the folder.

        Raises:
            RunError: It cannot be made.
        """
        self._folder = folder
        self._used: Counter[str] = Counter()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(
                f"cannot make the folder {folder}: {error.strerror}; name another"
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
                f"{target} is the image itself and would be replaced; name another folder"
            )
        try:
            picture.save(target, "PNG")
        except OSError as error:
            raise RunError(f"cannot write {target}: {error.strerror or error}") from None


class Pictures:
    """What is written for each answer besides the text."""

    def __init__(
        self, answers: type[Answer], read: Read, draw: Path | None, masks: Path | None
    ) -> None:
        """Make the folders that are asked for.

        Args:
            answers: The type of the answers.
            read: Reads an image again, the right way up.
            draw: Folder of images with their answers drawn, or None.
            masks: Folder of masks, or None.

        Raises:
            ConfigError: Masks are asked for, and the network gives classes of whole images.
            RunError: A folder cannot be made.
        """
        if masks is not None and not answers.has_mask:
            raise ConfigError(
                "--masks: this network judges whole images and has no masks; leave it out"
            )
        if draw is not None and masks is not None and draw.resolve() == masks.resolve():
            raise ConfigError("--draw and --masks would write files of the same names; name two")
        self._read = read
        self._draw = None if draw is None else PictureFolder(draw)
        self._masks = None if masks is None else PictureFolder(masks)

    def write(self, row: Prediction) -> None:
        """Write the files of one image; a bad one has none, nor has one without a file."""
        if row.answer is None or row.path is None:
            return
        if self._draw is not None:
            self._draw.save(row.path, row.answer.draw(self._read(row.path)))
        if self._masks is not None:
            self._masks.save(row.path, row.answer.to_image())
