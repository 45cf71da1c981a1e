"""What to read and how to augment it, as data. Nothing here needs torch."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    Field,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from resnext.data.address import is_address, last_part
from resnext.data.audio_config import AudioConfig
from resnext.data.set_names import BOX_SETS, SIGNAL_NAMES, DataName
from resnext.errors import ConfigError
from resnext.machine import num_cores
from resnext.model.card import Interpolation
from resnext.model.normalisation import Mean, Std
from resnext.model.signal import MAX_LENGTH, Fit, Normalisation
from resnext.model.text import MAX_VOCABULARY, Unit
from resnext.model.video import MAX_CLIP_FRAMES
from resnext.settings import FiniteSettings, SystemPath

TargetKind = Literal["class", "labels", "number", "mask", "boxes"]
"""What is to be learned of an image. `class`: the number of one class, int64, n. `labels`: 1 for
each label that applies, 0 for one that does not and `UNKNOWN`, int8, n x k. `number`: values to
predict, float32, n x k, NaN where one is not known. `mask`: a class for each pixel, which is read
with its image; in memory are the pixels of each class, int64, n x k. `boxes`: boxes of objects with
their classes; `targets_n` counts the objects of each class, int64, n x k."""

UNKNOWN = -1
"""A label of which it is not known whether it applies."""

MAX_SIDE_PX = 8192
MAX_WORKERS = 1024

_WRITTEN_BY_A_RUN = {"name", "root", "image_size_px", "val_fraction", "num_train", "decode"}

_TABLE_ONLY = (
    *("images", "image_column", "label_column", "label_separator", "split_column", "targets"),
)

_SERIES_ONLY = ("id_column", "time_column", "fit")
_TEXT_ONLY = ("text_column", "unit", "lower", "vocabulary", "min_count")
_SIGNAL_COLUMNS = {
    "series": ("label_column", "split_column"),
    "text": ("label_column", "split_column", "label_separator", "targets"),
    "audio": ("images", "image_column", "label_column", "label_separator", "split_column"),
}
_VIDEO_ONLY = ("frames", "frame_stride", "clips")
_NEED_ROOT = ("folder", "imagenet", "table", "masks")
_LENGTHS = {"series": "length", "text": "length", "audio": "audio.seconds"}

Side = Annotated[int, Field(ge=1, le=MAX_SIDE_PX)]


class DataConfig(FiniteSettings):
    """One labelled set of images with a training and a validation split.

    Attributes:
        name: Which set; `folder` is any folder of class folders, `shards` one that
            `resnext pack` wrote, `table` a CSV, TSV or Parquet file of images and labels, or a
            folder of Parquet files, `masks` a folder of images with masks, `series` a file of
            time series, `volume` one in MedMNIST's `.npz` format, `text` a table of texts or a
            folder of one for each split, `video` class folders of videos, `coco`, `voc` and
            `yolo` folders of images with boxes, `audio` audio files in class folders or a table,
            `python` a dataset that a program gave to `resnext.train`.
        root: Where its files are. `digits` needs none; the downloaded sets keep
            theirs in the user's cache folder by default.
        url: Where the files of `shards` are, if not in a folder: the address of what
            `resnext pack` wrote, such as https://host/folder, s3://bucket/folder or
            hf://datasets/owner/name/folder. It is stored in the run's settings as it is, so
            keep passwords out of it.
        cache_gib: GiB that fetched shards of all sets may take in the user's cache folder;
            by default 20. The shards not read for longest leave it first.
        shuffle_gib: GiB of shards whose images are mixed at a time. By default all, but half
            the cache where the set lies at an address and the cache does not hold it.
        images: Folder of the images of a `table`; by default found from the table's place.
        image_column: The `table`'s column of image paths or images; by default one of a
            usual name, such as image or filename.
        label_column: Its column of labels; by default likewise, such as label or class. Several
            columns, such as [red, round], hold 1 for each label that applies, or numbers.
        label_separator: What stands between the labels of a cell; by default | or ; or a comma
            where labels recur.
        targets: What the labels of a `table` are: `class`, one for each image; `labels`, any
            number of them; `number`, values to predict. By default a class, unless cells list
            several labels or columns hold 1 and 0.
        split_column: Its column of splits, if any; by default likewise, such as split.
        ignore_value: The value that pixels without a class have in `masks`; by default 255, unless
            it is a class.
        id_column: Of `series` in a long table, the column that says which series a row belongs
            to; by default one of a usual name, such as id, if its values recur.
        time_column: There, the column that orders the rows of a series; by default likewise.
        length: Steps that every one of `series` gets; by default the most of a training series.
            Of `text`, its tokens: by default as many as hold 99 % of the training texts whole.
        fit: How it gets them: `resample` interpolates linearly, `pad` appends the mean to a
            shorter series and keeps the middle of a longer one.
        normalise: Of `series` and `audio`: `channel` by mean and standard deviation of each channel
            over the training set, `series` by those of each single one, `none` not at all.
        text_column: The column of a `text`; by default one of a usual name, such as text or
            sentence.
        unit: What a token of a `text` is: `word` or `character`.
        lower: Of `text`: whether upper and lower case are the same.
        vocabulary: Known tokens of a `text` at most; the most frequent of the training texts.
        min_count: Rarer tokens of the training texts count as unknown.
        frames: Of `video`: frames of a clip.
        frame_stride: Of `video`: every so many frames of the file one is taken.
        clips: Of `video`: clips of each file whose probabilities are averaged in evaluation.
        image_size_px: Side of the crop that the network sees; by default the set's own
            (8, 28 or 32 pixels for the small sets, 224 for files). With boxes, the short side to
            which images are resized (`model.min_size_px`); the long side's limit keeps its ratio.
        val_fraction: Share of the training images of a `folder` without validation images
            that is kept for validation; 1 keeps all, to evaluate a folder that nothing is
            trained on.
        val_split: How they are chosen, always by file names alone: `class` takes that share of
            each class, `hash` decides image by image (runs of earlier versions).
        group: Regular expression; images in whose names it matches the same text, such as
            patient[0-9]+, stay on one side of that split.
        classes: Keep the images of these classes only, in this order; by default all.
        num_train: Train on only so many images, chosen by a hash: the same ones whatever the
            seed. By default all of them.
        workers: Processes that decode files; by default one a core, at most 8.
        decode: `fast` decodes a training image no larger than its crop needs, and resizes with
            torch; `exact` gives the pixels of Pillow and torchvision's RandomResizedCrop, bit
            for bit, more slowly. Images that are evaluated are always decoded in full.
        mean: Mean of each channel to subtract, of values in 0..1; by default what the weights
            expect that training starts from, otherwise the set's own.
        std: Standard deviation of each channel to divide by; by default likewise.
        audio: How `audio` files become what the network receives.
    """

    name: DataName = "digits"
    root: SystemPath | None = None
    url: str | None = None
    cache_gib: PositiveFloat | None = None
    shuffle_gib: PositiveFloat | None = None
    images: SystemPath | None = None
    image_column: str | None = None
    label_column: str | tuple[str, ...] | None = None
    label_separator: str | None = None
    targets: Literal["class", "labels", "number", "auto"] = "auto"
    split_column: str | None = None
    ignore_value: Annotated[int, Field(ge=0, le=255)] | None = None
    id_column: str | None = None
    time_column: str | None = None
    length: Annotated[int, Field(ge=1, le=MAX_LENGTH)] | None = None
    fit: Fit = "resample"
    normalise: Normalisation = "channel"
    text_column: str | None = None
    unit: Unit = "word"
    lower: bool = True
    vocabulary: Annotated[int, Field(ge=1, le=MAX_VOCABULARY)] = 20_000
    min_count: PositiveInt = 2
    frames: Annotated[int, Field(ge=1, le=MAX_CLIP_FRAMES)] = 16
    frame_stride: Annotated[int, Field(ge=1, le=MAX_CLIP_FRAMES)] = 4
    clips: Annotated[int, Field(ge=1, le=100)] = 3
    image_size_px: Side | None = None
    val_fraction: Annotated[float, Field(gt=0.0, le=1.0)] = 0.1
    val_split: Literal["class", "hash"] = "class"
    group: str | None = None
    classes: tuple[str, ...] | None = None
    num_train: PositiveInt | None = None
    workers: Annotated[int, Field(ge=0, le=MAX_WORKERS)] | None = None
    decode: Literal["fast", "exact"] = "fast"
    mean: Mean | None = None
    std: Std | None = None
    audio: AudioConfig = AudioConfig()

    @model_validator(mode="before")
    @classmethod
    def _keep_split(cls, values: Any) -> Any:
        """Keep the split of a run whose settings were written before there was a choice."""
        is_written = isinstance(values, dict) and values.keys() >= _WRITTEN_BY_A_RUN
        if is_written and values["name"] == "folder":
            values = {"val_split": "hash", **values}
        return values

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.name == "shards":
            if (self.root is None) == (self.url is None):
                raise ConfigError(
                    "name='shards' needs root=PATH, the folder that resnext pack wrote, or "
                    "url=ADDRESS, and not both"
                )
            if self.url is not None and not is_address(self.url):
                raise ConfigError(f"url={self.url!r}: give an address such as https://host/folder")
            if self.url is None and self.cache_gib is not None:
                raise ConfigError("cache_gib is for shards at an address (url); leave it out")
        else:
            for setting in ("url", "cache_gib", "shuffle_gib"):
                if getattr(self, setting) is not None:
                    raise ConfigError(f"{setting} is for name='shards' only; leave it out")
        if self.name != "table":
            kept = _SIGNAL_COLUMNS.get(self.name, ())
            for setting in set(_TABLE_ONLY).difference(kept):
                if getattr(self, setting) != type(self).model_fields[setting].default:
                    raise ConfigError(f"{setting} is for name='table' only; leave it out")
        if self.name != "masks" and self.ignore_value is not None:
            raise ConfigError("ignore_value is for name='masks' only; leave it out")
        if self.name == "masks" and self.classes is not None:
            raise ConfigError(
                "classes is not for name='masks'; to leave a class out, give its value as "
                "ignore_value"
            )
        if self.name in BOX_SETS and self.classes is not None:
            raise ConfigError(
                f"classes is not for name={self.name!r}; to leave a class out, remove its boxes "
                "from the annotations"
            )
        self._check_signals()
        if self.name in (*_NEED_ROOT, *BOX_SETS) and self.root is None:
            raise ConfigError(f"name={self.name!r} needs root=PATH, where the images are")
        if self.group is not None and self.val_split != "class":
            raise ConfigError("group needs val_split='class'; leave one of them out")
        if self.classes is not None and not 2 <= len(set(self.classes)) == len(self.classes):
            raise ConfigError(f"classes={self.classes!r}: name at least two classes, each once")
        return self

    def _check_signals(self) -> None:
        """Refuse settings of signals for images, and of images for signals."""
        for name, settings in (
            ("series", _SERIES_ONLY),
            ("text", _TEXT_ONLY),
            ("video", _VIDEO_ONLY),
        ):
            for setting in settings if self.name != name else ():
                if getattr(self, setting) != type(self).model_fields[setting].default:
                    raise ConfigError(f"{setting} is for name={name!r} only; leave it out")
        if self.name not in ("series", "audio") and self.normalise != "channel":
            raise ConfigError("normalise is for name='series' or 'audio' only; leave it out")
        if self.name != "audio" and self.audio != AudioConfig():
            raise ConfigError("audio is for name='audio' only; leave it out")
        if self.length is not None and self.name not in ("series", "text"):
            raise ConfigError("length is for name='series' and name='text' only; leave it out")
        if self.name not in SIGNAL_NAMES:
            return
        if self.root is None:
            at = "FOLDER" if self.name in ("video", "audio") else "FILE"
            raise ConfigError(f"name={self.name!r} needs root={at}: write --data {self.name}:{at}")
        refused = {"video": (), "audio": ("mean", "std")}.get(self.name, ("mean", "std", "group"))
        for setting in refused:
            if getattr(self, setting) is not None:
                raise ConfigError(f"{setting} is not for name={self.name!r}; leave it out")
        if self.name in _LENGTHS and self.image_size_px is not None:
            raise ConfigError(
                f"image_size_px={self.image_size_px} is for images; the size of {self.name} is "
                f"{_LENGTHS[self.name]}"
            )

    @property
    def label(self) -> str:
        """The set's name for people: of a folder or a packed set, its own."""
        if self.url is not None:
            return last_part(self.url)
        if self.name in SIGNAL_NAMES and self.name != "video" and self.root is not None:
            return self.root.stem
        folders = ("video", "audio", "folder", "shards", "table", "masks", *BOX_SETS)
        if self.name in folders and self.root is not None:
            return self.root.name or self.root.resolve().name or self.name
        return self.name


class ViewConfig(FiniteSettings):
    """Which crops of an image are evaluated; their class probabilities are averaged.

    Attributes:
        size_px: Side of the crop; by default the size of training.
        resize_px: Short side to which the image is resized first. While training, by default
            8/7 of the crop (256 for 224) for files, or the crop's own where training does not
            use resized crops; none for sets in memory. Of a trained network, by default what
            its card says, in proportion to the size.
        interpolation: Filter of that resize; by default the one of the weights, else bilinear.
        ten_crop: Four corners and the centre, each also mirrored.
        flip: Also the mirrored crop.
    """

    size_px: Side | None = None
    resize_px: Side | None = None
    interpolation: Interpolation | None = None
    ten_crop: bool = False
    flip: bool = False

    @property
    def num_views(self) -> int:
        """Crops of one image."""
        return 10 if self.ten_crop else 2 if self.flip else 1


def default_workers() -> int:
    """Return the decoding processes that suit this machine: one a core, at most 8."""
    return min(num_cores(), 8)
