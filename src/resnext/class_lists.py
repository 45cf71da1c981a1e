"""The class lists of well-known data sets, in the order of a network's outputs.

Sources: ImageNet's synsets (image-net.org, ILSVRC 2012) in their alphabetical order, with the
names that torchvision gives them; the label files of CIFAR-10, CIFAR-100 and SVHN; Pascal VOC's
classes with its background, as torchvision's segmentation weights have them; COCO's categories.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

_VOC = """
background aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike
person pottedplant sheep sofa train tvmonitor
"""
_CIFAR10 = "airplane automobile bird cat deer dog frog horse ship truck"
_CIFAR100 = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly
camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup
dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower
leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom oak_tree orange orchid
otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine possum rabbit raccoon ray
road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle
wardrobe whale willow_tree wolf woman worm
"""

_COCO = """
person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant,
unused 12, stop sign, parking meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear,
zebra, giraffe, unused 26, backpack, umbrella, unused 29, unused 30, handbag, tie, suitcase,
frisbee, skis, snowboard, sports ball, kite, baseball bat, baseball glove, skateboard, surfboard,
tennis racket, bottle, unused 45, wine glass, cup, fork, knife, spoon, bowl, banana, apple,
sandwich, orange, broccoli, carrot, hot dog, pizza, donut, cake, chair, couch, potted plant, bed,
unused 66, dining table, unused 68, unused 69, toilet, unused 71, tv, laptop, mouse, remote,
keyboard, cell phone, microwave, oven, toaster, sink, refrigerator, unused 83, book, clock, vase,
scissors, teddy bear, hair drier, toothbrush
"""


def class_names(class_list: str) -> tuple[str, ...]:
    """Return the classes of a data set.

    Known are `imagenet1k` (its synsets), `cifar10`, `cifar100`, `svhn`, `voc` and `coco90`, which
    are COCO's categories by their numbers, those that it does not use among them.
    """
    if class_list == "imagenet1k":
        return tuple(_imagenet())
    if class_list == "coco90":
        return tuple(" ".join(name.split()) for name in _COCO.split(","))
    lists = {
        "cifar10": _CIFAR10,
        "cifar100": _CIFAR100,
        "svhn": "0 1 2 3 4 5 6 7 8 9",
        "voc": _VOC,
    }
    return tuple(lists[class_list].split())


def readable(name: str) -> str:
    """Return the words of an ImageNet synset; other names are returned unchanged."""
    is_synset = len(name) == 9 and name[0] == "n" and name[1:].isdecimal()
    return _imagenet().get(name, name) if is_synset else name


@cache
def _imagenet() -> dict[str, str]:
    text = Path(__file__).with_name("imagenet1k.tsv").read_text(encoding="utf-8")
    return dict(line.split("\t") for line in text.splitlines())
