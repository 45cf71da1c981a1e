"""Check your images before training; check and prepare ImageNet, or build ImageNet-5K.

ImageNet is unpacked from the official archives; ImageNet-5K is selected and built from the full
set.

Checksums, the official class order and counts are verified. Interrupted actions can be run again:
they keep complete files and resume.

Examples:
  resnext data check photos/
  resnext data check labels.csv --set data.label_column=species
  resnext data check photos/ --json
  resnext data imagenet --check imagenet/
  resnext data imagenet --check imagenet/ --devkit ILSVRC2012_devkit_t12.tar.gz --json
  resnext data imagenet --prepare imagenet/ --train ILSVRC2012_img_train.tar \
--val ILSVRC2012_img_val.tar --devkit ILSVRC2012_devkit_t12.tar.gz
  resnext data imagenet --prepare imagenet/ --ground-truth LOC_val_solution.csv
  resnext data imagenet5k --full imagenet21k/ --imagenet imagenet/ --out imagenet5k.tsv
  resnext data imagenet5k --full imagenet21k/ --imagenet imagenet/ --out imagenet5k/
  resnext data imagenet5k --classes imagenet5k.tsv --full imagenet21k/ --imagenet imagenet/ \
--out imagenet5k/

With --prepare, validation images directly in DIR/val are moved into class folders. With imagenet5k,
an --out ending in .tsv or .txt is only the class list; otherwise it is a folder for the list,
train/ and val/, with links if the source images are in folders.

The exit status of a check is 0 if everything is complete, 1 if there are problems or warnings, and
2 if training is impossible.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from resnext.api.checks import refuse_ignored
from resnext.cli.arguments import option, parse
from resnext.cli.data_check import DataCheck, check_data
from resnext.errors import ConfigError, DataError

if TYPE_CHECKING:
    from resnext.data.sets.imagenet.ground_truth import GroundTruth
    from resnext.data.sets.imagenet.layout import ImageNetLayout
    from resnext.data.sets.imagenet.prepare import ArchiveChecksum
    from resnext.data.sets.imagenet.scan import Progress

_DEFAULT_NUM_CLASSES = 5000


@dataclass(frozen=True)
class DataImageNet:
    """Check ImageNet-1K, or unpack and sort it."""

    check: Annotated[Path | None, option("DIR")] = None
    """Compare DIR/train/CLASS and DIR/val/CLASS with the official set."""
    prepare: Annotated[Path | None, option("DIR")] = None
    """Unpack and sort into DIR, then check."""
    train: Annotated[Path | None, option("TAR")] = None
    """With --prepare: ILSVRC2012_img_train.tar."""
    val: Annotated[Path | None, option("TAR")] = None
    """With --prepare: ILSVRC2012_img_val.tar."""
    devkit: Annotated[Path | None, option("TAR")] = None
    """ILSVRC2012_devkit_t12.tar.gz or its folder: provides the classes of the validation images and
    the number of training images per class."""
    ground_truth: Annotated[Path | None, option("FILE")] = None
    """With --prepare, instead of --devkit: the official numbers with meta.mat next to them, one
    synset per line, or Kaggle's LOC_val_solution.csv."""
    force: bool = False
    """With --prepare: unpack archives even if their checksum differs from the published one."""
    json: bool = False
    """Print the findings as JSON."""


@dataclass(frozen=True)
class DataImageNet5K:
    """Select the classes of ImageNet-5K, and build it from the full set."""

    full: Annotated[Path | None, option("DIR")] = None
    """The full set, as n01234567.tar files or n01234567 folders."""
    imagenet: Annotated[Path | None, option("DIR")] = None
    """ImageNet-1K with train/ and val/."""
    out: Annotated[Path | None, option("FILE|DIR")] = None
    """The class list, or the folder to build."""
    num_classes: Annotated[int | None, option("N", str(_DEFAULT_NUM_CLASSES))] = None
    """Total number of classes."""
    classes: Annotated[Path | None, option("FILE")] = None
    """Build the folder from this class list instead of selecting classes."""
    json: bool = False
    """Print the counts as JSON."""


_ACTIONS: dict[str, type] = {
    "check": DataCheck,
    "imagenet": DataImageNet,
    "imagenet5k": DataImageNet5K,
}


def main(argv: list[str]) -> int:
    """Run the verb.

    Raises:
        ConfigError: Flags are missing, contradict each other or have no effect.
        DataError: An archive or folder is missing, damaged or hostile, or cannot be written.
        RunError: The list cannot be written.
    """
    arguments = parse(_ACTIONS, argv, __doc__)
    if isinstance(arguments, DataCheck):
        return check_data(arguments)
    if isinstance(arguments, DataImageNet5K):
        return _five_k(arguments)
    assert isinstance(arguments, DataImageNet)
    if (arguments.check is None) == (arguments.prepare is None):
        raise ConfigError("imagenet takes one of --check DIR and --prepare DIR")
    if None not in (arguments.devkit, arguments.ground_truth):
        raise ConfigError("give either --devkit or --ground-truth, not both")
    if arguments.prepare is not None:
        return _prepare(arguments, arguments.prepare)
    assert arguments.check is not None
    refuse_ignored(arguments, ("train", "val", "ground_truth", "force"), "--prepare")
    return _check(arguments, arguments.check)


def _check(arguments: DataImageNet, root: Path) -> int:
    from resnext.cli.data_output import show_findings
    from resnext.data.sets.imagenet.check import check
    from resnext.data.sets.imagenet.layout import imagenet_1k
    from resnext.progress import show_progress

    layout = imagenet_1k()
    truth = _truth(arguments, layout)
    with show_progress(quiet=False) as progress:
        findings = check(root, layout, truth.train_counts if truth else None, progress)
    return show_findings(root, findings, as_json=arguments.json)


def _prepare(arguments: DataImageNet, root: Path) -> int:
    from resnext.cli.data_output import show_findings
    from resnext.data.sets.imagenet import prepare
    from resnext.data.sets.imagenet.check import SplitName, check
    from resnext.data.sets.imagenet.layout import imagenet_1k
    from resnext.data.sets.imagenet.lock import only_writer
    from resnext.data.sets.imagenet.scan import count_images
    from resnext.progress import show_progress

    layout = imagenet_1k()
    truth = _truth(arguments, layout)
    num_flat = count_images(root / "val") if (root / "val").is_dir() else 0
    if truth is None and (arguments.val is not None or num_flat):
        what = f"--val {arguments.val}" if arguments.val else f"{num_flat:,} images in {root}/val"
        raise ConfigError(f"{what}: give --devkit or --ground-truth to sort them into classes")
    if arguments.train is None and arguments.val is None and not num_flat:
        raise ConfigError(
            f"--prepare {root}: nothing to do; give --train TAR or --val TAR, or put the "
            f"validation images in {root}/val"
        )
    worked: list[SplitName] = []
    with only_writer(root):
        checksums = _checksums(arguments)
        with show_progress(quiet=False) as progress:
            if arguments.train is not None:
                prepare.unpack_train(arguments.train, root / "train", layout, progress)
                worked.append("train")
            if truth is not None and (arguments.val is not None or num_flat):
                prepare.sort_val(root, arguments.val, truth.val_synsets, progress)
                worked.append("val")
        prepare.write_classes(root, layout)
    findings = check(root, layout, truth.train_counts if truth else None)
    return show_findings(root, findings.only(worked), as_json=arguments.json, checksums=checksums)


def _truth(arguments: DataImageNet, layout: ImageNetLayout) -> GroundTruth | None:
    from resnext.data.sets.imagenet.ground_truth import read_devkit, read_ground_truth

    if arguments.devkit is not None:
        return read_devkit(arguments.devkit, layout)
    if arguments.ground_truth is not None:
        return read_ground_truth(arguments.ground_truth, layout)
    return None


def _checksums(arguments: DataImageNet) -> list[ArchiveChecksum]:
    """Verify the checksum of every archive before unpacking."""
    from resnext.data.sets.imagenet.prepare import compare_checksum
    from resnext.progress import show_download

    checksums = []
    for part in ("devkit", "val", "train"):  # the largest last: a mistake shows early
        archive: Path | None = getattr(arguments, part)
        if archive is None or archive.is_dir():
            continue
        with show_download() as progress:
            checksum = compare_checksum(part, archive, progress)
        checksums.append(checksum)
        if checksum.agrees:
            continue
        text = f"{archive}: MD5 is {checksum.found}, the official archive's {checksum.published}"
        if not arguments.force:
            raise DataError(f"{text}; download it again, or add --force to unpack it anyway")
        print(f"resnext: warning: {text}", file=sys.stderr)
    return checksums


def _five_k(arguments: DataImageNet5K) -> int:
    from resnext.cli.data_output import show_classes
    from resnext.cli.output_file import check_place, writing
    from resnext.data.sets.imagenet.class_file import parse_text
    from resnext.data.sets.imagenet.five_k import find_synsets
    from resnext.data.sets.imagenet.five_k_tree import build_tree, keep_list
    from resnext.data.sets.imagenet.lock import only_writer
    from resnext.files import write_whole
    from resnext.progress import show_progress

    full, imagenet, out = arguments.full, arguments.imagenet, arguments.out
    if full is None or imagenet is None or out is None:
        raise ConfigError("imagenet5k takes --full DIR, --imagenet DIR and --out FILE or DIR")
    if arguments.classes is not None:
        refuse_ignored(arguments, ("num_classes",), "a list to create, not --classes")
    is_list = out.suffix in (".tsv", ".txt") and not out.is_dir()
    if is_list and arguments.classes is not None:
        raise ConfigError(
            f"--out {out} is a list, but --classes is already one; give a folder to build"
        )
    synsets = find_synsets(full)
    if is_list:
        check_place("--out", out)
    # Report an unwritable folder before reading the archives.
    with nullcontext() if is_list else only_writer(out), show_progress(quiet=False) as progress:
        text = _class_text(arguments, synsets, imagenet, progress)
        if is_list:
            rows = parse_text(text, out)
            with writing(out):
                write_whole(out, text)
        else:
            rows = keep_list(out, text)
            build_tree(rows, synsets, imagenet, out, progress)
    show_classes(out, rows, as_json=arguments.json)
    return 0


def _class_text(
    arguments: DataImageNet5K, synsets: dict[str, Path], imagenet: Path, progress: Progress
) -> str:
    """Return the given class list, or select the classes."""
    from resnext.data.sets.imagenet.class_file import class_text, read_text
    from resnext.data.sets.imagenet.five_k import choose_classes, measure_imagenet, measure_sizes
    from resnext.data.sets.imagenet.layout import imagenet_1k

    if arguments.classes is not None:
        return read_text(arguments.classes)
    num_classes = arguments.num_classes
    if num_classes is None:
        num_classes = _DEFAULT_NUM_CLASSES
    own = measure_imagenet(imagenet, imagenet_1k().synsets, progress)
    return class_text(choose_classes(measure_sizes(synsets, progress), own, num_classes))
