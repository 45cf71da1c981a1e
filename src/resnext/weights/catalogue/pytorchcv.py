"""pytorchcv's ResNeXts on CIFAR-10, CIFAR-100 and SVHN.

A file is a zip archive with one `.pth`; the published SHA-1 is of the `.pth`. Networks whose table
has no checksum (ResNeXt-20) were never published.

Sources, read 2026-11:

- pytorchcv 0.0.74: model_metainfos.csv (errors, SHA-1, release), model_store.py (the address)
- https://github.com/osmr/pytorchcv/blob/master/README.md: the same errors
- https://github.com/osmr/imgclsmob (pytorch/datasets/cifar10_cls_dataset.py and those for
  CIFAR-100 and SVHN, which share its transform): mean and deviation, whole images of 32 pixels
- LICENSE of both: MIT
"""

from __future__ import annotations

from resnext.weights.entry import ClassList, WeightsEntry

_FILES = "https://github.com/osmr/imgclsmob/releases/download"

# By name: class list, top-1 error in percent, release, SHA-1 of the .pth.
_ROWS: dict[str, tuple[tuple[ClassList, float, int, str], ...]] = {
    "resnext29_32x4d": (
        ("cifar10", 3.15, 169, "30413525cd4466dbef759294eda9b702bc39648f"),
        ("cifar100", 19.50, 200, "13ba13d92f6751022549a3b370ae86d3b13ae2d1"),
        ("svhn", 2.80, 275, "e85c5217944cdfafb0a538dd7cc817cffaada7c4"),
    ),
    "resnext29_16x64d": (
        ("cifar10", 2.41, 176, "4133d3d04f9b10b132dcb959601d36f10123f8c2"),
        ("cifar100", 16.93, 322, "05e9a7f113099a98b219cad622ecfad5517a3b54"),
        ("svhn", 2.68, 358, "74332b714cd278bfca3f09dafe2a9d117510e9a4"),
    ),
    "resnext272_1x64d": (
        ("cifar10", 2.55, 372, "070ccc35c2841b7715b9eb271197c9bb316f3093"),
        ("cifar100", 19.11, 372, "114eb0f8a0d471487e819b8fd156c1286ef91b7a"),
        ("svhn", 2.35, 372, "ab0448469bbd7d476f8bed1bf86403304b028e7c"),
    ),
    "resnext272_2x32d": (
        ("cifar10", 2.74, 375, "d2ace03c413be7e42c839c84db8dd0ebb5d69512"),
        ("cifar100", 18.34, 375, "0b30c4701a719995412882409339f3553a54c9d1"),
        ("svhn", 2.44, 375, "39b8a33612d335a0193b867b38c0b09d168de6c3"),
    ),
}

_OURS = {"resnext272_1x64d": "resnet272"}


def entries() -> tuple[WeightsEntry, ...]:
    """Build the entries of this publisher."""
    return tuple(_entry(theirs, *row) for theirs, rows in _ROWS.items() for row in rows)


def _entry(
    theirs: str, classes: ClassList, top1_error: float, release: int, sha1: str
) -> WeightsEntry:
    network = _OURS.get(theirs, theirs)
    error = round(100 * top1_error)
    return WeightsEntry(
        name=f"{network}.pytorchcv_{classes}",
        network=network,
        family="pytorchcv",
        address=f"{_FILES}/v0.0.{release}/{theirs}_{classes}-{error:04}-{sha1[:8]}.pth.zip",
        sha1=sha1,
        licence="MIT",
        classes=classes,
        image_size_px=32,
        resize_px=None,
        mean=(0.4914, 0.4822, 0.4465),
        std=(0.2023, 0.1994, 0.2010),
        top1_error=top1_error,
        published_at="https://github.com/osmr/pytorchcv/blob/master/README.md",
        note="The address is a zip archive; the checksum is that of the .pth inside.",
    )
