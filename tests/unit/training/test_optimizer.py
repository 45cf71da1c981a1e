"""Which parameter gets which decay and learning rate."""

import pytest
import torch
from torch import nn

from resnext.errors import ConfigError
from resnext.model.config import BaselineConfig, ResNeXtConfig
from resnext.model.create import create_model
from resnext.model.embedding_config import EmbeddingConfig
from resnext.model.network import ResNeXt
from resnext.runs.config import OptimConfig
from resnext.training.optimizer import build_optimizer, set_lr


def _network() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2)
    )


def test_bn_is_not_decayed_where_so_configured() -> None:
    model = _network()
    optimizer = build_optimizer(model, OptimConfig(weight_decay=0.5, decay_norm=False))
    decay = settings_of(optimizer, "weight_decay")
    assert decay[id(model[0].weight)] == 0.5
    assert decay[id(model[1].weight)] == decay[id(model[1].bias)] == 0.0
    assert decay[id(model[3].bias)] == 0.5


def test_the_head_gets_its_own_rate() -> None:
    model = _network()
    optimizer = build_optimizer(model, OptimConfig(head_lr_factor=10.0))
    set_lr(optimizer, 0.2)
    rate = settings_of(optimizer)
    assert rate[id(model[0].weight)] == 0.2
    assert rate[id(model[3].weight)] == 2.0


def test_frozen_parameters_are_left_out() -> None:
    model = _network()
    model[0].requires_grad_(False)
    optimizer = build_optimizer(model, OptimConfig())
    known = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    assert id(model[0].weight) not in known
    assert len(known) == 4


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_at_rest_gives_the_bits_of_torchs_own_first_steps(nesterov: bool) -> None:
    config = OptimConfig(nesterov=nesterov)
    ours, theirs = _network(), _network()
    theirs.load_state_dict(ours.state_dict())
    optimizers = (
        build_optimizer(ours, config),
        torch.optim.SGD(
            theirs.parameters(),
            lr=0.1,
            momentum=config.momentum,
            nesterov=nesterov,
            weight_decay=config.weight_decay,
            fused=True,
        ),
    )
    set_lr(optimizers[0], 0.1)
    for _ in range(3):
        for mine, its in zip(ours.parameters(), theirs.parameters(), strict=True):
            mine.grad = torch.randn_like(mine)
            its.grad = mine.grad.clone()
        for optimizer in optimizers:
            optimizer.step()
        for mine, its in zip(ours.parameters(), theirs.parameters(), strict=True):
            assert torch.equal(mine, its)


def test_a_step_is_nesterov_momentum_with_l2_decay() -> None:
    weight = torch.tensor([[1.0, -2.0]], dtype=torch.float64)
    model = nn.Linear(2, 1, bias=False).double()
    model.weight.data.copy_(weight)
    optimizer = build_optimizer(model, OptimConfig(momentum=0.9, weight_decay=0.1))
    expected, velocity = weight.clone(), torch.zeros_like(weight)
    for gradient in (torch.tensor([[0.5, 1.0]]), torch.tensor([[-1.0, 0.25]])):
        model.weight.grad = gradient.double()
        set_lr(optimizer, 0.01)
        optimizer.step()
        total = gradient + 0.1 * expected
        velocity = 0.9 * velocity + total
        expected = expected - 0.01 * (total + 0.9 * velocity)
    torch.testing.assert_close(model.weight.detach(), expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("preactivation", [False, True])
@pytest.mark.parametrize("blocks", [(1,), (2, 1, 1, 3)])
def test_each_stage_further_from_the_classifier_learns_slower_by_the_same_factor(
    blocks: tuple[int, ...], preactivation: bool
) -> None:
    model = ResNeXt(ResNeXtConfig(blocks_per_stage=blocks, preactivation=preactivation))
    config = OptimConfig(layer_decay=0.7, head_lr_factor=4.0)
    optimizer = build_optimizer(model, config)
    set_lr(optimizer, 0.2)
    powers = {"conv1": len(blocks) + 1, "bn1": len(blocks) + 1, "norm": 1}
    powers |= {f"layer{stage}": len(blocks) + 1 - stage for stage in range(1, len(blocks) + 1)}
    rates = settings_of(optimizer)
    for name, parameter in model.named_parameters():
        part = name.split(".")[0]
        expected = 0.2 * (4.0 if part == "fc" else 0.7 ** powers[part])
        assert rates.pop(id(parameter)) == pytest.approx(expected, rel=1e-12), name
    assert not rates


def test_the_decay_over_stages_and_the_decay_of_weights_are_grouped_together() -> None:
    model = ResNeXt(ResNeXtConfig(blocks_per_stage=(1, 1)))
    optimizer = build_optimizer(
        model, OptimConfig(layer_decay=0.5, weight_decay=0.1, decay_norm=False)
    )
    groups = {(group["weight_decay"], group["lr_scale"]) for group in optimizer.param_groups}
    trunk = {(decay, scale) for decay in (0.0, 0.1) for scale in (0.125, 0.25, 0.5)}
    assert groups == trunk | {(0.1, 1.0)}  # the classifier has no BN
    assert len(optimizer.param_groups) == len(groups)


def test_freezing_stages_changes_no_rate_of_the_others() -> None:
    model = ResNeXt(ResNeXtConfig(blocks_per_stage=(1, 1, 1)))
    free = settings_of(build_optimizer(model, OptimConfig(layer_decay=0.5)), "lr_scale")
    for part in (model.conv1, model.bn1, model.get_submodule("layer1")):
        assert part is not None
        part.requires_grad_(False)
    some = settings_of(build_optimizer(model, OptimConfig(layer_decay=0.5)), "lr_scale")
    assert some == {key: free[key] for key in some}
    assert set(some.values()) == {0.25, 0.5, 1.0}


def test_without_decay_over_the_stages_the_groups_are_trunk_then_head() -> None:
    model = ResNeXt(ResNeXtConfig(blocks_per_stage=(1, 1)))
    groups = build_optimizer(model, OptimConfig()).param_groups
    assert [group["lr_scale"] for group in groups] == [1.0]
    assert [id(p) for p in groups[0]["params"]] == [id(p) for p in model.parameters()]
    trunk, head = build_optimizer(model, OptimConfig(head_lr_factor=3.0)).param_groups
    assert (trunk["lr_scale"], head["lr_scale"]) == (1.0, 3.0)
    assert [id(p) for p in head["params"]] == [id(p) for p in model.fc.parameters()]


def test_a_network_without_stages_has_no_decay_over_them() -> None:
    with torch.device("meta"):
        model = create_model(BaselineConfig(family="vgg16_bn"))
    build_optimizer(model, OptimConfig(head_lr_factor=2.0))
    with pytest.raises(ConfigError, match=r"layer_decay=0\.5: VGG has no stages"):
        build_optimizer(model, OptimConfig(layer_decay=0.5))


@pytest.mark.parametrize("factor", [0.0, -0.5, 1.5, float("nan")])
def test_a_decay_over_the_stages_outside_0_to_1_is_refused(factor: float) -> None:
    with pytest.raises(ConfigError, match="layer_decay"):
        OptimConfig(layer_decay=factor)


def settings_of(optimizer: torch.optim.Optimizer, key: str = "lr") -> dict[int, float]:
    """Return a setting of each parameter's group, by the parameter's id."""
    return {
        id(parameter): group[key]
        for group in optimizer.param_groups
        for parameter in group["params"]
    }


def test_the_embedding_of_a_text_counts_with_the_stem() -> None:
    text = ResNeXtConfig(
        stem="cifar", blocks_per_stage=(1, 1), ndim=1, in_channels=1, num_classes=2
    ).replace(embedding=EmbeddingConfig(num_tokens=9, width=8))
    model = create_model(text)
    assert isinstance(model, ResNeXt)
    optimizer = build_optimizer(model, OptimConfig(layer_decay=0.5))
    set_lr(optimizer, 1.0)
    rate = settings_of(optimizer)
    assert model.embed is not None
    assert rate[id(model.embed.weight)] == rate[id(model.conv1.weight)] == 0.5**3
    assert rate[id(model.fc.weight)] == 1.0
