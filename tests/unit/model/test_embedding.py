from __future__ import annotations

import re
from typing import Any

import pytest
import torch

from resnext.complexity.count import count
from resnext.complexity.verify import verify_count
from resnext.errors import ConfigError
from resnext.model.backbone import Backbone
from resnext.model.config import ResNeXtConfig
from resnext.model.create import create_model
from resnext.model.embedding_config import EmbeddingConfig
from resnext.model.network import ResNeXt

TINY = ResNeXtConfig(
    stem="cifar", blocks_per_stage=(1, 1), cardinality=2, bottleneck_width=4, stage_widths=(16, 32),
    stem_width=8, ndim=1, in_channels=1, num_classes=3,
    embedding=EmbeddingConfig(num_tokens=20, width=6),
)  # fmt: skip


def _network(**changes: Any) -> ResNeXt:
    torch.manual_seed(0)
    model = create_model(TINY.replace(**changes)).eval()
    assert isinstance(model, ResNeXt)
    return model


def test_parameters_of_the_embedding_are_counted_and_it_costs_no_multiply_adds() -> None:
    with_tokens = count(TINY, 40)
    without = count(TINY.replace(embedding=None, in_channels=6), 40)
    assert with_tokens.parameters == without.parameters + 20 * 6
    assert with_tokens.macs == without.macs
    assert with_tokens.stages[0].parameters == without.stages[0].parameters + 20 * 6
    verify_count(TINY.replace(dropout=0.5), 40)


def test_dropout_keeps_maps_in_training_only() -> None:
    plain, dropped = count(TINY, 40), count(TINY.replace(dropout=0.5), 40)
    assert dropped.peak_activation_bytes == plain.peak_activation_bytes
    assert dropped.training_activation_bytes > plain.training_activation_bytes


@pytest.mark.parametrize("preactivation", [False, True])
@pytest.mark.parametrize("stem", ["cifar", "imagenet"])
def test_the_head_averages_the_positions_of_the_text_alone(stem: str, preactivation: bool) -> None:
    network = _network(stem=stem, preactivation=preactivation)
    tokens = torch.randint(1, 20, (3, 1, 37))
    lengths = (37, 9, 1)
    for row, length in enumerate(lengths):
        tokens[row, 0, length:] = 0
    maps = network.embed(tokens)  # type: ignore[misc]
    for name, layer in network.named_children():
        if name == "avgpool":
            break
        if name != "embed":
            maps = layer(maps)
    stride = network.feature_info[-1]["reduction"]
    # position s of the map is centred on the token stride * s
    wanted = torch.stack(
        [maps[row, :, : -(-length // stride)].mean(dim=1) for row, length in enumerate(lengths)]
    )
    pooled = network.forward_head(network.forward_features(tokens), pre_logits=True)
    torch.testing.assert_close(pooled, wanted, rtol=1e-5, atol=1e-6)
    _, (last,) = network.forward_intermediates(tokens, indices=[2])
    torch.testing.assert_close(network.forward_head(last, pre_logits=True), pooled)


def test_a_text_without_tokens_gives_finite_logits() -> None:
    assert _network()(torch.zeros(2, 1, 16)).isfinite().all()


def test_numbers_that_are_no_tokens_count_as_the_nearest_one() -> None:
    network = _network()
    wild = torch.tensor([[[-5.0, 3.0, 1e9, 19.0]]])
    known = torch.tensor([[[0.0, 3.0, 19.0, 19.0]]])
    assert network(wild).equal(network(known))


def test_the_vector_of_padding_stays_zero_in_training() -> None:
    network = _network().train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.1, weight_decay=0.1)
    tokens = torch.tensor([[[2.0, 3.0, 0.0, 0.0]], [[4.0, 0.0, 0.0, 0.0]]])
    network(tokens).square().sum().backward()
    optimizer.step()
    weight = network.state_dict()["embed.weight"]
    assert weight[0].abs().max() == 0
    assert weight[2].abs().max() > 0


def test_dropout_acts_in_training_only() -> None:
    network = _network(dropout=0.5)
    tokens = torch.randint(1, 20, (4, 1, 16))
    assert network(tokens).equal(_network()(tokens))
    network.train()
    pooled = torch.ones(1, 32, 1)
    assert not network.forward_head(pooled).equal(network.forward_head(pooled))


@pytest.mark.filterwarnings("ignore:`torch.jit:FutureWarning")
def test_a_network_for_text_can_be_scripted() -> None:
    network = _network(dropout=0.5)
    tokens = torch.randint(0, 20, (2, 1, 24)).float()
    scripted = torch.jit.script(network)
    torch.testing.assert_close(scripted(tokens), network(tokens))


def test_configs_without_embedding_are_stored_as_before() -> None:
    stored = ResNeXtConfig().model_dump()
    assert "embedding" not in stored
    assert "dropout" not in stored
    assert ResNeXtConfig(**TINY.model_dump()) == TINY


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ndim": 2}, "set both to 1"),
        ({"in_channels": 3}, "set both to 1"),
        ({"dropout": 1.0}, "dropout"),
        ({"embedding": {"num_tokens": 2, "width": 4}}, "num_tokens"),
        ({"embedding": {"num_tokens": 9, "width": 0}}, "width"),
    ],
)
def test_what_no_network_for_text_can_be_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        TINY.replace(**changes)


@pytest.mark.filterwarnings("ignore:`torch.jit:FutureWarning")
@pytest.mark.parametrize("indices", [None, (1,), (0, 2)])
def test_a_backbone_clears_the_padding_of_the_last_map_as_the_network(indices: Any) -> None:
    network, tokens = _network(), torch.zeros(2, 1, 20)
    tokens[0, 0, :5], tokens[1, 0, :12] = 3, 7
    backbone = Backbone(network, indices)
    wanted = network.forward_intermediates(tokens, indices, intermediates_only=True)
    for found in (backbone(tokens), torch.jit.script(backbone)(tokens)):
        torch.testing.assert_close(found, wanted)


def test_timm_groups_the_embedding_with_the_stem() -> None:
    for coarse in (False, True):
        stem = _network().group_matcher(coarse)["stem"]
        assert re.match(stem, "embed.weight")
