"""`--pretrained` takes the best weights that network, images, machine and licence allow."""

import pytest

from resnext.complexity.count import count
from resnext.errors import ConfigError, LicenceError
from resnext.weights.catalogue import entries, filter_entries
from resnext.weights.choose import Need, rank, training_bytes

GIB = 2**30


@pytest.mark.parametrize("network", sorted({e.network for e in entries() if e.num_classes == 1000}))
def test_of_a_network_the_lowest_published_error_that_the_licence_allows_comes_first(
    network: str,
) -> None:
    known = [e for e in filter_entries(network=network) if e.num_classes == 1000]
    free = [e.top1_error for e in known if not e.is_non_commercial and e.top1_error is not None]
    if free:
        assert rank(Need(network))[0].top1_error == min(free)
        assert not any(entry.is_non_commercial for entry in rank(Need(network)))
    every = [e.top1_error for e in known if e.top1_error is not None]
    assert rank(Need(network, accept_licence=True))[0].top1_error == min(every)


def test_a_network_whose_weights_all_need_a_licence_says_how_to_accept_it() -> None:
    with pytest.raises(LicenceError, match="--accept-licence"):
        rank(Need("resnext101_32x32d"))
    assert rank(Need("resnext101_32x32d", accept_licence=True))


def test_a_network_without_weights_is_answered_with_the_nearest_of_its_kind() -> None:
    with pytest.raises(ConfigError, match="resnext50_32x4d") as caught:
        rank(Need("resnext50_8x14d"))
    assert "cifar" not in str(caught.value)
    with pytest.raises(ConfigError, match="resnext29_16x64d"):
        rank(Need("resnext29_8x64d"))


def test_weights_of_more_classes_come_before_easier_ones_and_the_own_classes_first() -> None:
    classes = [entry.classes for entry in rank(Need("resnext29_32x4d"))]
    assert classes == ["cifar100", "svhn", "cifar10"]  # the last two by their errors
    assert rank(Need("resnext29_32x4d", data="cifar10"))[0].classes == "cifar10"


@pytest.mark.parametrize(
    ("need", "name"),
    [
        (Need(side_px=500), "resnet26.bt_in1k"),
        (Need(side_px=None), "resnet26.bt_in1k"),
        (Need(side_px=64), "resnet26.bt_in1k"),
        (Need(side_px=500, has_gpu=True), "resnext50_32x4d.a1h_in1k"),
        (Need(side_px=32), "resnext29_32x4d.pytorchcv_cifar100"),
        (Need(side_px=32, has_gpu=True), "resnext29_32x4d.pytorchcv_cifar100"),
    ],
)
def test_without_a_network_images_and_machine_decide(need: Need, name: str) -> None:
    assert rank(need)[0].name == name


def test_what_the_memory_does_not_hold_is_left_out_or_refused() -> None:
    best = rank(Need(has_gpu=True))[0]
    assert training_bytes(best) > 20 * count(best.network).parameters
    smaller = rank(Need(has_gpu=True, memory_bytes=training_bytes(best) - 1))
    assert best not in smaller
    with pytest.raises(ConfigError, match=r"needs about 4\.6 GiB of memory, but 2\.0"):
        rank(Need("resnet101", memory_bytes=2 * GIB))
