import numpy as np
import pytest
import torch
from page_network import CONFIG, image_file, small_network
from torch.nn import functional as F

from resnext.model.config import ResNeXtConfig
from resnext.model.trained import TrainedNetwork
from resnext.page.classifier import Classifier
from resnext.page.heat_map import Heat, HeatMaps


def by_hand(model: TrainedNetwork, image: torch.Tensor, label: int) -> torch.Tensor:
    """Return Grad-CAM as its paper writes it: ReLU of the maps weighted by mean gradients.

    The library spreads the values over 0..1 before and after it resizes them.
    """
    config = model.config
    assert isinstance(config, ResNeXtConfig)
    kept: list[torch.Tensor] = []
    stage = getattr(model.module, f"layer{len(config.blocks_per_stage)}")
    handle = stage.register_forward_hook(lambda *arguments: kept.append(arguments[2]))
    logits = model.module(image)
    handle.remove()
    (gradient,) = torch.autograd.grad(logits[0, label], kept)
    heat = (gradient.mean(dim=(2, 3), keepdim=True) * kept[0]).sum(dim=1).relu()
    heat = F.interpolate(_spread(heat)[None], image.shape[-2:], mode="bilinear")[0, 0]
    return _spread(heat).detach()


def _spread(heat: torch.Tensor) -> torch.Tensor:
    return (heat - heat.min()) / (heat.max() - heat.min() + 1e-7)


@pytest.mark.parametrize("label", range(CONFIG.num_classes))
def test_the_heat_map_is_that_of_the_paper(label: int) -> None:
    model = small_network()
    torch.manual_seed(label)
    image = torch.randn(1, 1, 16, 16)
    heat = HeatMaps(model).draw(image, label)
    assert heat.shape == (16, 16)
    expected = by_hand(model, image, label)
    assert torch.allclose(torch.from_numpy(heat), expected, atol=1e-4)


def test_heat_lies_where_the_evidence_is() -> None:
    """A network that reads the brightness of places: the head counts what the maps hold."""
    model = small_network(CONFIG.replace(shortcut="B"))
    with torch.no_grad():
        for weight in model.module.parameters():
            weight.abs_()
    image = torch.zeros(1, 1, 16, 16)
    image[..., :8, :8] = 3.0
    heat = HeatMaps(model).draw(image, 0)
    assert heat[:8, :8].mean() > 2 * heat[8:, 8:].mean()


def test_the_network_itself_is_left_as_it_is() -> None:
    model = small_network()
    before = {name: value.clone() for name, value in model.module.state_dict().items()}
    maps = HeatMaps(model)
    maps.draw(torch.randn(1, 1, 16, 16), 2)
    assert all(p.requires_grad and p.grad is None for p in model.module.parameters())
    assert not any(module._forward_hooks for module in model.module.modules())
    after = model.module.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    copied = next(maps._cam.model.parameters())
    assert copied.data_ptr() == next(model.module.parameters()).data_ptr()


def test_the_class_that_is_asked_for_is_explained() -> None:
    classifier = Classifier(small_network())
    data = image_file()
    first: list[Heat | None] = [classifier.classify(data, explain=rank).heat for rank in (0, 1)]
    assert first[0] is not None
    assert first[1] is not None
    assert not np.allclose(first[0], first[1])
    again = classifier.classify(data, explain=0).heat
    assert again is not None
    assert np.array_equal(first[0], again)
