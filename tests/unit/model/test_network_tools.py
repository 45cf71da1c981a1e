"""Tools that take networks apart, trace, count or transform them get the same function."""

import copy
import io
import itertools
import pickle
from collections import OrderedDict
from typing import Any

import pytest
import torch
from torch import nn
from torch.func import functional_call, grad, jvp, stack_module_state, vmap
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils.checkpoint import checkpoint
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models._utils import IntermediateLayerGetter
from torchvision.models.detection.backbone_utils import BackboneWithFPN
from torchvision.models.feature_extraction import create_feature_extractor

from resnext.model.backbone import Backbone
from resnext.model.config import ResNeXtConfig
from resnext.model.network import ResNeXt

SMALL = ResNeXtConfig(
    stem_width=8, blocks_per_stage=(1, 2, 1), stage_widths=(16, 24, 32), cardinality=4
).replace(bottleneck_width=2, num_classes=5, in_channels=2)
# torch.func.jvp scripts its own decompositions, with the same warning.
scripts = pytest.mark.filterwarnings("ignore:`torch.jit:FutureWarning")
SHAPES = list(itertools.product((1, 2, 3), ("cifar", "imagenet"), (False, True)))
BLOCKS = [
    *(("bottleneck", form, shortcut) for form in "abc" for shortcut in ("A", "B", "C", "none")),
    *(("basic", "c", shortcut) for shortcut in ("A", "B")),
]


def build(**changes: Any) -> ResNeXt:
    """Build a network in double precision whose BN would show a layer left out."""
    torch.manual_seed(0)
    cardinality = 1 if changes.get("block") == "basic" else 4
    model = ResNeXt(SMALL.replace(**{"cardinality": cardinality} | changes)).double().eval()
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            nn.init.normal_(module.bias, std=0.5)
    return model


def images(model: ResNeXt, batch: int = 2) -> torch.Tensor:
    return torch.randn(batch, 2, *[12] * model.config.ndim, dtype=torch.float64)


def assert_same(got: Any, expected: Any) -> None:
    torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("ndim", "stem", "preactivation"), SHAPES)
def test_the_children_in_their_order_are_the_network(
    ndim: int, stem: str, preactivation: bool
) -> None:
    model = build(ndim=ndim, stem=stem, preactivation=preactivation)
    x = images(model)
    ran: list[nn.Module] = []
    for child in model.children():
        child.register_forward_hook(lambda module, *_: ran.append(module))
    expected = model(x)
    assert ran == list(model.children())
    *body, fc = model.children()
    pooled = nn.Sequential(*body)(x)
    assert pooled.shape == (2, 32, *[1] * ndim), "as torchvision's avgpool"
    assert torch.equal(nn.Sequential(*body, nn.Flatten(), fc)(x), expected)
    maps = nn.Sequential(*body[:-1])(x)
    assert torch.equal(maps, model.features(x)["layer3"])


@pytest.mark.parametrize(("ndim", "stem", "preactivation"), SHAPES)
def test_torchvisions_layer_getter_gives_the_maps_of_features(
    ndim: int, stem: str, preactivation: bool
) -> None:
    model = build(ndim=ndim, stem=stem, preactivation=preactivation)
    x = images(model)
    # The last map of a pre-activation network is the one behind its final BN and ReLU.
    last = "relu" if preactivation else "layer3"
    getter = IntermediateLayerGetter(
        model, {"layer1": "layer1", "layer2": "layer2", last: "layer3"}
    )
    got, expected = getter(x), model.features(x)
    assert list(got) == list(expected)
    assert all(torch.equal(got[name], expected[name]) for name in expected)


def test_a_torchvision_feature_pyramid_reads_the_maps_of_features() -> None:
    model = build()
    layers = {"layer1": "0", "layer2": "1", "layer3": "2"}
    pyramid = BackboneWithFPN(model, layers, [16, 24, 32], 8).double().eval()
    x = images(model)
    maps = OrderedDict(zip("012", model.features(x).values(), strict=True))
    got, expected = pyramid(x), pyramid.fpn(maps)
    assert list(got) == list(expected) == ["0", "1", "2", "pool"]
    assert all(torch.equal(got[name], expected[name]) for name in expected)


@pytest.mark.parametrize("preactivation", [False, True])
def test_torchvisions_traced_extractor_gives_the_maps_of_features(preactivation: bool) -> None:
    model = build(preactivation=preactivation)
    x = images(model)
    got = create_feature_extractor(model, ["layer1", "layer2"])(x)
    assert_same(got, model.features(x, (1, 2)))


@pytest.mark.parametrize(("block", "form", "shortcut"), BLOCKS)
@pytest.mark.parametrize("preactivation", [False, True])
def test_every_relu_is_a_module_that_runs_once(
    block: str, form: str, shortcut: str, preactivation: bool
) -> None:
    model = build(block=block, form=form, shortcut=shortcut, preactivation=preactivation)
    calls: dict[str, int] = {}
    for name, module in model.named_modules():
        if isinstance(module, nn.ReLU):
            calls[name] = 0
            module.register_forward_hook(
                lambda *_, name=name: calls.__setitem__(name, calls[name] + 1)
            )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nn.ReLU, "forward", lambda _, x: x)
        linear = model(images(model))
    assert set(calls.values()) == {1}
    assert not torch.equal(model(images(model)), linear)


@pytest.mark.slow
@scripts
@pytest.mark.parametrize(("block", "form", "shortcut"), BLOCKS)
@pytest.mark.parametrize("preactivation", [False, True])
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_traced_and_scripted_networks_are_the_network(
    block: str, form: str, shortcut: str, preactivation: bool, ndim: int
) -> None:
    stem = "cifar" if ndim == 3 else "imagenet"
    model = build(
        block=block,
        form=form,
        shortcut=shortcut,
        preactivation=preactivation,
        ndim=ndim,
        stem=stem,
    )
    traced, scripted = torch.fx.symbolic_trace(model), torch.jit.script(model)
    for batch in (2, 3):
        x = images(model, batch)
        expected = model(x)
        assert_same(traced(x), expected)
        assert_same(scripted(x), expected)


@pytest.mark.slow
@scripts
@pytest.mark.parametrize(("block", "form", "shortcut"), [*BLOCKS[::5], BLOCKS[-1]])
def test_scripting_needs_no_attribute_that_can_be_taken_for_a_function(
    block: str, form: str, shortcut: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """torch.jit knows operators by the address of functions, also of those that are gone.

    An attribute that lies where one was would be taken for it, by chance; here all are.
    """
    recursive: Any = torch.jit._recursive
    found = recursive._find_builtin

    def find(value: Any) -> Any:
        has_own_address = isinstance(value, list | tuple | str | float | torch.Size)
        return "aten::relu" if has_own_address else found(value)

    model = build(block=block, form=form, shortcut=shortcut)
    x = images(model)
    expected = [model(x), *Backbone(model)(x)]
    monkeypatch.setattr(recursive, "_find_builtin", find)
    got = [torch.jit.script(model)(x), *torch.jit.script(Backbone(model))(x)]
    for ours, theirs in zip(expected, got, strict=True):
        assert_same(theirs, ours)


@scripts
def test_a_scripted_network_trains_and_is_saved() -> None:
    model = build().train()
    scripted = torch.jit.script(copy.deepcopy(model))
    x = images(model)
    for network in (model, scripted):
        network(x).sin().sum().backward()
    for ours, theirs in zip(model.parameters(), scripted.parameters(), strict=True):
        assert_same(theirs.grad, ours.grad)
    file = io.BytesIO()
    torch.jit.save(scripted.eval(), file)
    file.seek(0)
    load: Any = torch.jit.load
    assert_same(load(file)(x), model.eval()(x))


def test_graphs_hold_the_convolution_with_the_networks_own_groups() -> None:
    model = build().float()
    x = images(model).float()
    fx_graph = torch.fx.symbolic_trace(model).graph
    aten_graph = make_fx(model)(x).graph
    groups = {node.args[-1] for node in fx_graph.nodes if node.target is torch.conv2d}
    aten = {n.args[-1] for n in aten_graph.nodes if n.target is torch.ops.aten.convolution.default}
    assert groups == aten == {1, 4}


@pytest.mark.parametrize("training", [False, True])
def test_a_count_on_the_cpu_sees_the_networks_own_groups(training: bool) -> None:
    def count(device: str) -> int:
        with torch.device(device):
            model = ResNeXt(SMALL).train(training)
            x = torch.randn(2, 2, 32, 32)
        with FlopCounterMode(display=False) as counter:
            model(x).sum().backward()
        return int(counter.get_total_flops())

    assert count("cpu") == count("meta")


@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("preactivation", [False, True])
def test_vmap_gives_the_gradient_of_every_image(ndim: int, preactivation: bool) -> None:
    model = build(ndim=ndim, preactivation=preactivation)
    parameters = {name: p.detach() for name, p in model.named_parameters()}
    buffers = dict(model.named_buffers())
    x, labels = images(model, 3), torch.tensor([0, 2, 4])

    def loss(parameters: dict[str, torch.Tensor], x: torch.Tensor, y: torch.Tensor) -> Any:
        logits = functional_call(model, (parameters, buffers), (x[None],))
        return nn.functional.cross_entropy(logits, y[None])

    each = vmap(grad(loss), in_dims=(None, 0, 0))(parameters, x, labels)
    for number in range(3):
        model.zero_grad()
        alone = slice(number, number + 1)
        torch.autograd.backward(nn.functional.cross_entropy(model(x[alone]), labels[alone]))
        for name, parameter in model.named_parameters():
            assert_same(each[name][number], parameter.grad)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["a", "b", "c"])
def test_vmap_runs_an_ensemble_at_once(form: str) -> None:
    members = [build(form=form), build(form=form)]
    nn.init.normal_(members[1].get_parameter("layer2.0.bn3.weight"))
    stacked: Any = stack_module_state(members)
    x = images(members[0])
    got = vmap(lambda p, b: functional_call(members[0], (p, b), (x,)))(*stacked)
    assert_same(got, torch.stack([member(x) for member in members]))


@scripts
def test_forward_derivatives_agree_with_backward_ones() -> None:
    model = build()
    x, direction = images(model), images(model)
    x.requires_grad_()
    forward: Any = jvp(model, (x,), (direction,))[1]
    logits = model(x)
    weights = torch.randn_like(logits)
    (backward,) = torch.autograd.grad(logits, x, weights)
    assert_same((forward * weights).sum(), (backward * direction).sum())


@pytest.mark.parametrize("use_reentrant", [False, True])
def test_checkpointed_stages_give_the_same_gradients(use_reentrant: bool) -> None:
    model = build()
    x = images(model).requires_grad_()
    (expected,) = torch.autograd.grad(model(x).sin().sum(), x)
    logits: Any = checkpoint(model, x, use_reentrant=use_reentrant)
    logits.sin().sum().backward()
    assert_same(x.grad, expected)


@pytest.mark.parametrize("copier", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
@pytest.mark.parametrize("form", ["a", "b", "c"])
def test_copies_compute_the_same_bits(copier: Any, form: str) -> None:
    model = build(form=form)
    x = images(model)
    assert torch.equal(copier(model)(x), model(x))


@pytest.mark.slow
@pytest.mark.parametrize("preactivation", [False, True])
def test_a_compiled_training_step_gives_the_same_gradients(preactivation: bool) -> None:
    model = build(preactivation=preactivation).train()
    x = images(model)
    gradients = []
    for network in (model, torch.compile(model, backend="aot_eager", fullgraph=True)):
        model.zero_grad()
        network(x).sin().sum().backward()
        gradients.append([parameter.grad for parameter in model.parameters()])
    for got, expected in zip(*gradients, strict=True):
        assert_same(got, expected)


def test_hooks_see_maps_that_no_later_layer_writes_over() -> None:
    model = build()
    seen: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
    watched = ["relu", "maxpool", "layer1", "layer2", "layer3", "layer2.0.relu", "avgpool"]
    for name in watched:
        model.get_submodule(name).register_forward_hook(
            lambda _module, _inputs, y, name=name: seen.__setitem__(name, (y, y.clone()))
        )
    model(images(model))
    assert list(seen) != []
    assert set(seen) == set(watched)
    assert all(torch.equal(now, then) for now, then in seen.values())
