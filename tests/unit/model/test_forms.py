"""Forms (a), (b) and (c) of the block are one function: outputs, gradients, statistics."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from random_networks import assert_same_tensors, small_configs, trained_like

from resnext.model.choices import Form
from resnext.model.config import ResNeXtConfig
from resnext.model.convert import convert_form
from resnext.model.network import ResNeXt


@pytest.mark.slow
@given(small_configs(), st.sampled_from(["a", "b"]), st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_split_forms_equal_the_grouped_form(config: ResNeXtConfig, form: Form, seed: int) -> None:
    config = config.replace(form="c")
    grouped = trained_like(config, seed)
    split = ResNeXt(config.replace(form=form)).double()
    split.load_state_dict(convert_form(grouped.state_dict(), config, to=form))
    side = 9 if config.stem == "cifar" else 17
    x = torch.randn(3, config.in_channels, *[side] * config.ndim, dtype=torch.float64)
    target = torch.randn(3, 5, dtype=torch.float64)
    for training in (True, False):
        expected = run(grouped.train(training), x, target)
        got = run(split.train(training), x, target)
        for part in ("parameters", "gradients"):
            got[part] = convert_form(got[part], split.config, to="c")
        assert_equal(got, expected)


@pytest.mark.slow
@given(small_configs(), st.sampled_from(["a", "b", "c"]), st.sampled_from(["a", "b", "c"]))
@settings(max_examples=40, deadline=None)
def test_conversion_there_and_back_gives_the_same_bits(
    config: ResNeXtConfig, first: Form, second: Form
) -> None:
    config = config.replace(form=first)
    state = trained_like(config).state_dict()
    there = convert_form(state, config, to=second)
    ResNeXt(config.replace(form=second)).load_state_dict(there)
    back = convert_form(there, config.replace(form=second), to=first)
    assert_same_tensors(back, state)


@pytest.mark.parametrize("form", ["a", "b"])
@pytest.mark.parametrize("preactivation", [False, True])
def test_one_seed_gives_one_function_in_every_form(form: Form, preactivation: bool) -> None:
    config = ResNeXtConfig(
        blocks_per_stage=(1, 1), cardinality=3, num_classes=4, preactivation=preactivation
    )
    x = torch.randn(2, 3, 32, 32, dtype=torch.float64)
    torch.manual_seed(5)
    expected = ResNeXt(config).double()(x)
    torch.manual_seed(5)
    got = ResNeXt(config.replace(form=form)).double()(x)
    torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-12)


def run(model: ResNeXt, x: torch.Tensor, target: torch.Tensor) -> dict[str, Any]:
    """Return the logits, the gradient of the input, the state, and the state's gradients."""
    x = x.clone().requires_grad_()
    logits = model(x)
    model.zero_grad()
    (logits * target).sum().backward()
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    gradients = dict(state)
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        gradients[name] = parameter.grad
    steepest = max(largest(p.grad) for p in model.parameters() if p.grad is not None)
    return {
        "logits": logits,
        "input": x.grad,
        "parameters": state,
        "gradients": gradients,
        "steepest": steepest,
    }


def assert_equal(got: dict[str, Any], expected: dict[str, Any]) -> None:
    # Gradients are sums of terms as large as the network's largest gradient. In front of a
    # BN they may cancel to nothing but rounding, which has no size of its own to be held against.
    steepest = expected["steepest"]
    for part, scale in (("logits", 0.0), ("input", steepest)):
        assert_close(part, got[part], expected[part], scale)
    for part, scale in (("parameters", 0.0), ("gradients", steepest)):
        assert got[part].keys() == expected[part].keys()
        for name in expected[part]:
            assert_close(f"{part} {name}", got[part][name], expected[part][name], scale)


def assert_close(
    name: str, got: torch.Tensor, expected: torch.Tensor, scale_of_summands: float
) -> None:
    """Hold the largest difference against 1e-10 of the largest value or summand."""
    scale = max(largest(expected), scale_of_summands)
    difference = largest(got - expected)
    assert difference <= 1e-10 * scale, f"{name}: {difference} of {scale}"


def largest(x: torch.Tensor) -> float:
    return x.abs().max().item()


def test_a_gradient_that_is_zero_but_for_rounding_is_held_against_its_summands() -> None:
    # BN over the two images of a 1x1 map leaves no gradient in front of it but rounding.
    config = ResNeXtConfig(
        stem="cifar", blocks_per_stage=(1,), stage_widths=(12,), stem_width=8, num_classes=3
    ).replace(cardinality=1, bottleneck_width=1)
    grouped = trained_like(config).train()
    split = ResNeXt(config.replace(form="a")).double()
    split.load_state_dict(convert_form(grouped.state_dict(), config, to="a"))
    x, target = torch.randn(2, 3, 1, 1).double(), torch.randn(2, 3).double()
    expected, got = run(grouped, x, target), run(split, x, target)
    for part in ("parameters", "gradients"):
        got[part] = convert_form(got[part], split.config, to="c")
    rounding = expected["gradients"]["layer1.0.conv1.weight"].abs().max()
    assert rounding < 1e-3 * expected["steepest"]
    assert_equal(got, expected)
