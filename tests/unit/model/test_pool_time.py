from __future__ import annotations

import pytest
import torch

from resnext.complexity.count import count
from resnext.complexity.verify import verify_count
from resnext.errors import ConfigError
from resnext.model.backbone import Backbone
from resnext.model.config import ResNeXtConfig
from resnext.model.create import create_model
from resnext.model.network import ResNeXt
from resnext.weights.inflate import inflate

TINY = ResNeXtConfig(
    stem="cifar", blocks_per_stage=(1, 1), cardinality=2, bottleneck_width=4, stage_widths=(16, 32),
    stem_width=8, num_classes=3,
)  # fmt: skip


def _network(config: ResNeXtConfig) -> ResNeXt:
    torch.manual_seed(0)
    model = create_model(config).eval()
    assert isinstance(model, ResNeXt)
    return model


def test_a_pooled_network_averages_the_features_of_the_frames() -> None:
    pooled, plain = _network(TINY.replace(pool_time=True)), _network(TINY)
    plain.load_state_dict(pooled.state_dict())
    video = torch.randn(2, 3, 5, 12, 10)
    frames = torch.stack([plain.forward_head(plain.forward_features(video[:, :, t]), True)
                          for t in range(5)])  # fmt: skip
    torch.testing.assert_close(pooled(video), plain.fc(frames.mean(dim=0)), rtol=1e-5, atol=1e-5)
    assert pooled.forward_features(video).shape == (2, 32, 5, 6, 5)
    assert pooled.features(video)["layer1"].shape == (2, 16, 5, 12, 10)
    with pytest.raises(ConfigError, match="3 spatial"):
        pooled(video[:, :, 0])


@pytest.mark.filterwarnings("ignore:`torch.jit:FutureWarning")
def test_a_pooled_network_can_be_scripted_and_traced() -> None:
    pooled = _network(TINY.replace(pool_time=True))
    video = torch.randn(2, 3, 5, 12, 10)
    torch.testing.assert_close(torch.jit.script(pooled)(video), pooled(video))
    torch.testing.assert_close(torch.fx.symbolic_trace(pooled)(video), pooled(video))


def test_its_cost_is_that_of_its_frames_and_one_classifier() -> None:
    one, five = count(TINY, (12, 10)), count(TINY.replace(pool_time=True), (5, 12, 10))
    classifier = 3 * 32 + 3  # weights and bias of the outputs
    assert five.macs == 5 * (one.macs - classifier) + classifier
    assert five.parameters == one.parameters
    verify_count(TINY.replace(pool_time=True), (5, 12, 10))


def test_weights_of_images_see_a_still_video_as_before() -> None:
    plain = _network(TINY)
    image = torch.randn(2, 3, 16, 16)
    still = image[:, :, None].expand(-1, -1, 4, -1, -1)
    state, config = inflate(plain.state_dict(), TINY, 3, "centre")
    deep = _network(config)
    deep.load_state_dict(state)
    torch.testing.assert_close(deep(still), plain(image), rtol=1e-4, atol=1e-5)


def test_only_networks_of_two_dimensions_pool_time_and_others_are_stored_as_before() -> None:
    with pytest.raises(ConfigError, match="set ndim=2"):
        TINY.replace(pool_time=True, ndim=3)
    assert "pool_time" not in TINY.model_dump()
    pooled = TINY.replace(pool_time=True)
    assert ResNeXtConfig(**pooled.model_dump()) == pooled
    assert pooled.input_ndim == 3


@pytest.mark.filterwarnings("ignore:`torch.jit:FutureWarning")
@pytest.mark.parametrize("indices", [None, (1,), (0, 2)])
def test_a_backbone_gives_the_maps_of_all_frames(indices: tuple[int, ...] | None) -> None:
    pooled = _network(TINY.replace(pool_time=True))
    video = torch.randn(2, 3, 5, 12, 10)
    backbone = Backbone(pooled, indices)
    wanted = pooled.forward_intermediates(video, indices, intermediates_only=True)
    for found in (backbone(video), torch.jit.script(backbone)(video)):
        torch.testing.assert_close(found, wanted)
