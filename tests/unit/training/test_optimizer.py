"""Which parameter gets which decay and learning rate."""

import torch
from torch import nn

from resnext.training.config import OptimConfig
from resnext.training.optimizer import build_optimizer, set_lr


def _network() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4, 2)
    )


def test_bn_is_not_decayed_where_so_configured() -> None:
    model = _network()
    optimizer = build_optimizer(model, OptimConfig(weight_decay=0.5, decay_norm=False))
    decay = {
        id(parameter): group["weight_decay"]
        for group in optimizer.param_groups
        for parameter in group["params"]
    }
    assert decay[id(model[0].weight)] == 0.5
    assert decay[id(model[1].weight)] == decay[id(model[1].bias)] == 0.0
    assert decay[id(model[3].bias)] == 0.5


def test_the_head_gets_its_own_rate() -> None:
    model = _network()
    optimizer = build_optimizer(model, OptimConfig(head_lr_factor=10.0))
    set_lr(optimizer, 0.2)
    rate = {
        id(parameter): group["lr"]
        for group in optimizer.param_groups
        for parameter in group["params"]
    }
    assert rate[id(model[0].weight)] == 0.2
    assert rate[id(model[3].weight)] == 2.0


def test_frozen_parameters_are_left_out() -> None:
    model = _network()
    model[0].requires_grad_(False)
    optimizer = build_optimizer(model, OptimConfig())
    known = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
    assert id(model[0].weight) not in known
    assert len(known) == 4


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
