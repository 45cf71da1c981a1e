"""Backbones and the names that timm's users know, held against timm's own networks and wrappers."""

import copy
import inspect
import io
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from random_networks import trained_like
from torch import nn
from torch.func import functional_call, stack_module_state, vmap
from torchvision.models.feature_extraction import create_feature_extractor

from resnext.errors import ConfigError
from resnext.model.backbone import Backbone
from resnext.model.config import ResNeXtConfig
from resnext.model.create import create_model
from resnext.model.network import ResNeXt

SMALL = ResNeXtConfig(
    stem_width=8, blocks_per_stage=(1, 2, 1), stage_widths=(16, 24, 32), cardinality=4
).replace(bottleneck_width=2, num_classes=5, in_channels=2)
KINDS = [
    {"ndim": 1},
    {"ndim": 2, "output_stride": 8},
    {"ndim": 3, "stem": "cifar"},
    {"preactivation": True, "output_stride": 8},
    {"preactivation": True, "stem": "cifar"},
    {"form": "a", "shortcut": "A"},
]
scripts = pytest.mark.filterwarnings("ignore:`torch.jit:FutureWarning")


def build(**changes: Any) -> ResNeXt:
    return trained_like(SMALL.replace(**changes))


def images(model: ResNeXt | Backbone, batch: int = 2) -> torch.Tensor:
    sides = [16] * model.config.ndim
    return torch.randn(batch, 2, *sides, dtype=torch.float64)


def assert_equal(got: list[torch.Tensor], expected: list[torch.Tensor]) -> None:
    assert len(got) == len(expected)
    assert all(torch.equal(a, b) for a, b in zip(got, expected, strict=True))


@pytest.mark.parametrize("changes", KINDS, ids=str)
def test_a_backbone_gives_the_maps_of_the_network(changes: dict[str, Any]) -> None:
    network = build(**changes)
    backbone = Backbone(network)
    x = images(network)
    maps, info = backbone(x), backbone.feature_info
    assert_equal(maps[1:], list(network.features(x).values()))
    last, through = network.forward_intermediates(x)
    assert_equal(maps, through)
    assert torch.equal(last, network.forward_features(x))
    assert torch.equal(last, maps[-1])
    for y, channels, reduction in zip(maps, info.channels(), info.reduction(), strict=True):
        assert y.shape == (2, channels, *[16 // reduction] * network.config.ndim)
    assert torch.equal(network.forward_head(last), network(x))


def test_layers_that_no_map_needs_are_left_out_and_the_others_keep_their_names() -> None:
    network = build()
    backbone = create_model(SMALL, out_indices=(0, 2))
    names = [name for name in network.state_dict() if not name.startswith(("layer3", "fc"))]
    assert list(backbone.state_dict()) == names
    full = create_model(SMALL, out_indices=(1, 2, 3))
    assert list(full.state_dict()) == [n for n in network.state_dict() if not n.startswith("fc")]
    assert full.config == SMALL.replace(num_classes=0)


def test_the_same_seed_gives_a_backbone_the_weights_of_the_network() -> None:
    torch.manual_seed(3)
    network = create_model(SMALL)
    torch.manual_seed(3)
    backbone = create_model(SMALL, out_indices=(3,))
    for name, tensor in backbone.state_dict().items():
        assert torch.equal(tensor, network.state_dict()[name])


def test_every_parameter_of_a_backbone_gets_a_gradient() -> None:
    backbone = create_model(SMALL, out_indices=(0, 2))
    loss: torch.Tensor = torch.stack([y.sum() for y in backbone(torch.randn(2, 2, 16, 16))]).sum()
    torch.autograd.backward(loss)
    assert all(parameter.grad is not None for parameter in backbone.parameters())


@pytest.mark.parametrize(
    ("indices", "taken"),
    [((1, 3), (1, 3)), ((-1, 0), (0, 3)), (2, (2, 3)), (range(4), (0, 1, 2, 3))],
)
def test_indices_are_those_of_timm(indices: Any, taken: tuple[int, ...]) -> None:
    assert create_model(SMALL, out_indices=indices).feature_info.out_indices == taken


@pytest.mark.parametrize("indices", [(), 0, 5, (4,), (-5,), (1, 1), (1, -3), ("layer1",), (1.0,)])
def test_indices_that_do_not_exist_are_refused(indices: Any) -> None:
    with pytest.raises(ConfigError, match=r"out_indices=.*0 \(the stem\) to 3 \(the last stage\)"):
        create_model(SMALL, out_indices=indices)


def test_an_input_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ConfigError, match="takes batch x 2 channel"):
        create_model(SMALL, out_indices=(1,))(torch.zeros(1, 3, 8, 8))


@pytest.mark.slow
@scripts
@pytest.mark.parametrize("changes", KINDS, ids=str)
def test_traced_scripted_and_exported_backbones_are_the_backbone(changes: dict[str, Any]) -> None:
    backbone = Backbone(build(**changes), (0, 1, -1))
    x = images(backbone, 3)
    expected = backbone(x)
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(backbone), file)
    file.seek(0)
    load: Any = torch.jit.load
    scripted = load(file)(x)
    traced = torch.fx.symbolic_trace(backbone)(x)
    dynamic = ({0: torch.export.Dim("batch")},)
    program = torch.export.export(backbone, (images(backbone),), dynamic_shapes=dynamic)
    for maps in (scripted, traced, program.module()(x)):
        for got, y in zip(maps, expected, strict=True):
            torch.testing.assert_close(got, y, rtol=1e-10, atol=1e-10)


def keep_graph(
    graphs: list[torch.fx.GraphModule], graph: torch.fx.GraphModule, _: object
) -> Callable[..., Any]:
    """Run a graph as it was captured, and note it."""
    graphs.append(graph)
    return graph.forward


@pytest.mark.slow
@pytest.mark.parametrize("changes", KINDS[:4], ids=str)
def test_torch_compile_sees_one_graph(changes: dict[str, Any]) -> None:
    network = build(**changes)
    x = images(network)
    for run in (
        Backbone(network),
        network.forward_features,
        lambda x: network.forward_intermediates(x, (1, 3), intermediates_only=True),
    ):
        graphs: list[torch.fx.GraphModule] = []
        compiled: Any = torch.compile(run, backend=partial(keep_graph, graphs), fullgraph=True)
        torch.testing.assert_close(compiled(x), run(x))
        assert len(graphs) == 1


@pytest.mark.parametrize("copier", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_of_a_backbone_compute_the_same_bits(copier: Any) -> None:
    backbone = Backbone(build(output_stride=8), (1, 3))
    x = images(backbone)
    copied = copier(backbone)
    assert_equal(copied(x), backbone(x))
    assert copied.feature_info.channels() == [16, 32]
    assert copied.feature_info.out_indices == (1, 3)


def test_vmap_runs_an_ensemble_of_backbones_at_once() -> None:
    members = [Backbone(build(output_stride=8)), Backbone(trained_like(SMALL, seed=1))]
    members[1] = Backbone(trained_like(SMALL.replace(output_stride=8), seed=1))
    stacked: Any = stack_module_state(list(members))
    x = images(members[0])
    got = vmap(lambda p, b: functional_call(members[0], (p, b), (x,)))(*stacked)
    for index, maps in enumerate(zip(*[member(x) for member in members], strict=True)):
        torch.testing.assert_close(got[index], torch.stack(maps), rtol=1e-10, atol=1e-10)


def test_torchvisions_traced_extractor_reads_a_backbone() -> None:
    backbone = Backbone(build(output_stride=8))
    x = images(backbone)
    got = create_feature_extractor(backbone, {"layer1": "low", "layer3": "high"})(x)
    expected = backbone(x)
    torch.testing.assert_close(got["low"], expected[1], rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(got["high"], expected[3], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("kind", ["FeatureListNet", "FeatureDictNet", "FeatureHookNet"])
@pytest.mark.parametrize("preactivation", [False, True])
def test_timms_feature_wrappers_take_our_network(kind: str, preactivation: bool) -> None:
    features = pytest.importorskip("timm.models._features")
    network = build(preactivation=preactivation, output_stride=8)
    x = images(network)
    expected = Backbone(network, (0, 2, 3))(x)
    wrapped = getattr(features, kind)(network, out_indices=(0, 2, 3))
    got = wrapped(x)
    assert_equal(list(got.values()) if isinstance(got, dict) else got, expected)
    assert wrapped.feature_info.channels() == [8, 24, 32]
    assert wrapped.feature_info.reduction() == network.feature_info.reduction((0, 2, 3))


def test_timms_getter_takes_our_network() -> None:
    features = pytest.importorskip("timm.models._features")
    network = build()
    x = images(network)
    wrapped = features.FeatureGetterNet(network, out_indices=(1, 3))
    assert_equal(wrapped(x), Backbone(network, (1, 3))(x))


@pytest.mark.slow
@pytest.mark.parametrize("output_stride", [8, 32])
def test_everything_of_timms_resnet_has_the_same_name_and_meaning(output_stride: int) -> None:
    timm = pytest.importorskip("timm")
    theirs = timm.create_model("resnet26", num_classes=7, output_stride=output_stride).eval()
    ours = create_model("resnet26", num_classes=7, output_stride=output_stride).eval()
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(1, 3, 64, 64)
    last = theirs.forward_features(x)
    assert torch.equal(ours.forward_features(x), last)
    for pre_logits in (False, True):
        expected = theirs.forward_head(last, pre_logits=pre_logits)
        assert torch.equal(ours.forward_head(last, pre_logits=pre_logits), expected)
    assert ours.num_features == theirs.num_features
    assert ours.num_classes == theirs.num_classes
    assert ours.get_classifier(name_only=True) == theirs.get_classifier(name_only=True)
    assert ours.get_classifier() is ours.fc
    info = timm.create_model("resnet26", features_only=True, output_stride=output_stride)
    for name in ("channels", "reduction"):
        for idx in (None, 2, (1, 4)):
            expected = getattr(info.feature_info, name)(idx)
            assert getattr(ours.feature_info, name)(idx) == expected
    kept = ["num_chs", "reduction"]
    assert ours.feature_info.get_dicts(kept) == info.feature_info.get_dicts(kept)
    assert ours.feature_info.get_dicts(kept, 1) == info.feature_info.get_dicts(kept, 1)
    for indices in (None, 2, (0, 3)):
        for stop in (True, False):
            got, maps = ours.forward_intermediates(x, indices, stop_early=stop)
            their_last, their_maps = theirs.forward_intermediates(x, indices, stop_early=stop)
            assert torch.equal(got, their_last)
            assert_equal(maps, their_maps)


@pytest.mark.parametrize("coarse", [False, True])
def test_timm_groups_our_parameters_as_its_own(coarse: bool) -> None:
    timm = pytest.importorskip("timm")
    manipulate = pytest.importorskip("timm.models._manipulate")
    with torch.device("meta"):
        theirs, ours = timm.create_model("resnext50_32x4d"), create_model("resnext50_32x4d")
    groups = [
        manipulate.group_parameters(model, model.group_matcher(coarse), reverse=True)
        for model in (ours, theirs)
    ]
    assert groups[0] == groups[1]
    assert len(set(groups[0].values())) == (1 + 4 + 1 if coarse else 1 + 16 + 1)


@pytest.mark.parametrize("changes", [{}, {"preactivation": True, "ndim": 1}])
def test_without_classes_the_pooled_map_comes_out(changes: dict[str, Any]) -> None:
    network, x = build(**changes), images(build(**changes))
    pooled = network.forward_head(network.forward_features(x), pre_logits=True)
    headless = ResNeXt(network.config.replace(num_classes=0)).double().eval()
    headless.load_state_dict({k: v for k, v in network.state_dict().items() if k[:3] != "fc."})
    assert torch.equal(headless(x), pooled)
    assert pooled.shape == (2, 32)
    dims = tuple(range(2, 2 + network.config.ndim))
    torch.testing.assert_close(pooled, network.forward_features(x).mean(dims))
    network.reset_classifier(0)
    assert torch.equal(network(x), pooled)
    assert network.num_classes == network.config.num_classes == 0


def test_a_new_classifier_has_the_precision_and_mode_of_the_network() -> None:
    network = build()
    before = dict(network.state_dict())
    torch.manual_seed(1)
    network.reset_classifier(9, "avg")
    assert (network.fc.weight.shape, network.fc.weight.dtype) == ((9, 32), torch.float64)
    assert not network.fc.training
    assert network.config.num_classes == 9
    assert not network.fc.bias.any()
    assert 0.8 / 32**0.5 < network.fc.weight.abs().max() <= 1 / 32**0.5
    for name, tensor in network.state_dict().items():
        assert name.startswith("fc.") or torch.equal(tensor, before[name])
    with pytest.raises(ConfigError, match=r"global_pool='max'.*forward_features"):
        network.reset_classifier(9, "max")
    with pytest.raises(ConfigError, match="num_classes=-1"):
        network.reset_classifier(-1)


def test_other_layouts_of_maps_are_refused() -> None:
    with pytest.raises(ConfigError, match="output_fmt='NHWC': maps come as 'NCHW'"):
        build().forward_intermediates(images(build()), output_fmt="NHWC")


def test_signatures_begin_as_timms_do() -> None:
    resnet = pytest.importorskip("timm.models.resnet")
    for name in (
        *("forward_features", "forward_head", "forward_intermediates", "get_classifier"),
        *("reset_classifier", "group_matcher"),
    ):
        ours = list(inspect.signature(getattr(ResNeXt, name)).parameters.values())[2:]
        theirs = list(inspect.signature(getattr(resnet.ResNet, name)).parameters.values())[2:]
        assert [(p.name, p.default) for p in ours] == [(p.name, p.default) for p in theirs], name


def test_a_backbone_is_in_the_mode_of_its_network() -> None:
    assert not Backbone(build()).training
    network: nn.Module = build().train()
    assert isinstance(network, ResNeXt)
    assert Backbone(network).training
