"""Networks under the names of other authors give, bit for bit, the outputs of ours."""

import re
from collections.abc import Callable

import pytest
import torch
from test_families import randomise

from resnext.errors import CheckpointError
from resnext.model.create import create_model
from resnext.model.network import ResNeXt
from resnext.weights.families.recognise import Recognised, recognise
from resnext.weights.fit import check_fit
from resnext.weights.infer import infer_config
from resnext.weights.own_file import load_into

State = dict[str, torch.Tensor]


def bottleneck() -> ResNeXt:
    model = create_model(
        "resnext29_2x64d",
        blocks_per_stage=(2, 1, 1),
        cardinality=4,
        bottleneck_width=2,
        stage_widths=(16, 32, 64),
        stem_width=8,
    )
    assert isinstance(model, ResNeXt)
    randomise(model)
    return model


def basic() -> ResNeXt:
    model = create_model("resnet_2-1-1_basic_cifar", stage_widths=(8, 16, 32), stem_width=8)
    assert isinstance(model, ResNeXt)
    randomise(model)
    return model


def renamed(state: State, *rules: tuple[str, str]) -> State:
    for pattern, text in rules:
        state = {re.sub(pattern, text, name): tensor for name, tensor in state.items()}
    return state


def plus_one(match: re.Match[str]) -> str:
    return str(int(match[0]) + 1)


def assert_opens_as(model: ResNeXt, state: State, *, exact: bool = True) -> Recognised:
    """Recognise a state dict, build its network and compare the logits."""
    found = recognise(state)
    config = infer_config(found.state)
    check_fit(found, config)
    ours = create_model(config).eval()
    load_into(ours, found.state)
    images = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected, got = model(images), ours(images)
    if exact:
        assert torch.equal(got, expected)
    else:
        torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)
    return found


def prlz77(state: State) -> State:
    layers = {"1": "reduce", "2": "", "3": "expand"}
    names = {}
    for name, tensor in state.items():
        name = re.sub(r"^layer(\d)\.(\d)\.", r"stage_\1.stage_\1_bottleneck_\2.", name)
        name = re.sub(r"\.conv(\d)\.", lambda m: f".conv_{layers[m[1]] or 'conv'}.", name)
        name = re.sub(
            r"\.bn(\d)\.", lambda m: f".bn{'_' * bool(layers[m[1]])}{layers[m[1]]}.", name
        )
        name = name.replace("downsample.0", "shortcut.shortcut_conv")
        name = name.replace("downsample.1", "shortcut.shortcut_bn")
        names[
            re.sub(
                r"^fc", "classifier", re.sub(r"^bn1", "bn_1", re.sub(r"^conv1", "conv_1_3x3", name))
            )
        ] = tensor
    return {f"module.{name}": tensor for name, tensor in names.items()}


def hysts(state: State) -> State:
    state = renamed(
        state,
        (r"^conv1", "conv"),
        (r"^bn1", "bn"),
        (r"downsample\.0", "shortcut.conv"),
        (r"downsample\.1", "shortcut.bn"),
    )
    return {
        re.sub(r"^layer(\d)\.(\d)", lambda m: f"stage{m[1]}.block{int(m[2]) + 1}", name): tensor
        for name, tensor in state.items()
    }


def weiaicunzai(state: State, stage: str, branch: str) -> State:
    names = {}
    for name, tensor in state.items():
        name = re.sub(r"^bn1", "conv1.1", re.sub(r"^conv1", "conv1.0", name))
        name = re.sub(
            r"^(layer\d\.\d)\.conv(\d)", lambda m: f"{m[1]}.{branch}.{3 * int(m[2]) - 3}", name
        )
        name = re.sub(
            r"^(layer\d\.\d)\.bn(\d)", lambda m: f"{m[1]}.{branch}.{3 * int(m[2]) - 2}", name
        )
        name = re.sub(r"^layer(\d)", lambda m: stage.format(int(m[1]) + 1), name)
        names[name.replace("downsample", "shortcut")] = tensor
    return names


def transformers(state: State) -> State:
    names = {}
    for name, tensor in state.items():
        name = re.sub(r"^conv1", "resnet.embedder.embedder.convolution", name)
        name = re.sub(r"^bn1", "resnet.embedder.embedder.normalization", name)
        name = re.sub(r"\.conv(\d)\.", lambda m: f".layer.{int(m[1]) - 1}.convolution.", name)
        name = re.sub(r"\.bn(\d)\.", lambda m: f".layer.{int(m[1]) - 1}.normalization.", name)
        name = re.sub(
            r"^layer(\d)\.(\d)",
            lambda m: f"resnet.encoder.stages.{int(m[1]) - 1}.layers.{m[2]}",
            name,
        )
        name = name.replace("downsample.0", "shortcut.convolution")
        names[
            re.sub("^fc", "classifier.1", name.replace("downsample.1", "shortcut.normalization"))
        ] = tensor
    return names


RENAMED: dict[str, Callable[[State], State]] = {
    "prlz77": prlz77,
    "hysts": hysts,
    "weiaicunzai": lambda state: weiaicunzai(state, "conv{}_x", "residual_function"),
    "weiaicunzai-resnext": lambda state: weiaicunzai(state, "conv{}", "split_transforms"),
    "transformers": transformers,
    "kuangliu": lambda state: renamed(state, ("downsample", "shortcut"), ("^fc", "linear")),
}


@pytest.mark.parametrize("build", [bottleneck, basic])
@pytest.mark.parametrize("author", RENAMED)
def test_the_names_of_other_authors_are_read(author: str, build: Callable[[], ResNeXt]) -> None:
    if author == "prlz77" and build is basic:
        pytest.skip("its basic blocks are called otherwise: see the next test")
    model = build()
    found = assert_opens_as(model, RENAMED[author](dict(model.state_dict())))
    family = author.partition("-")[0].replace("kuangliu", "torchvision")
    assert (found.family, found.notes) == (family, ())


def test_stages_of_basic_blocks_with_lettered_layers_are_read() -> None:
    model = basic()
    state = renamed(
        dict(model.state_dict()),
        *[
            (rf"^(layer\d\.\d)\.{kind}{number}", rf"\1.{kind}_{letter}")
            for kind in ("conv", "bn")
            for number, letter in ((1, "a"), (2, "b"))
        ],
        (r"^layer(\d)", r"stage_\1"),
        ("^conv1", "conv_1_3x3"),
        ("^bn1", "bn_1"),
        ("^fc", "classifier"),
    )
    assert_opens_as(model, state)


@pytest.mark.parametrize(
    ("conv", "norm"),
    [
        ("shortcut.0", "shortcut.1"),
        ("shortcut.conv", "shortcut.bn"),
        ("shortcut.shortcut_conv", "shortcut.shortcut_bn"),
        ("downsample.conv", "downsample.bn"),
        ("skip.0", "skip.1"),
        ("proj.0", "proj.1"),
    ],
)
def test_a_projection_has_many_names(conv: str, norm: str) -> None:
    model = bottleneck()
    state = renamed(dict(model.state_dict()), (r"downsample\.0", conv), (r"downsample\.1", norm))
    assert_opens_as(model, state)


@pytest.mark.slow
@pytest.mark.parametrize(
    "head",
    [
        "linear",
        "classifier",
        "head",
        "head.fc",
        "fc.1",
        "fc.0",
        "classifier.1",
        "last_linear",
        "output",
        "logits",
        "classifier.fc",
        "out",
        "final",
        "cls_head.fc",
    ],
)
@pytest.mark.parametrize("prefix", ["", "module.", "backbone.", "model.net.", "encoder."])
def test_a_classifier_has_many_names_inside_and_beside_the_network(head: str, prefix: str) -> None:
    model = bottleneck()
    state = dict(model.state_dict())
    inside = {prefix + re.sub("^fc", head, name): tensor for name, tensor in state.items()}
    beside = {
        re.sub("^fc", head, name) if name.startswith("fc") else prefix + name: tensor
        for name, tensor in state.items()
    }
    for names in (inside, beside):
        assert assert_opens_as(model, names).notes == ()


def test_a_classifier_of_an_unusual_name_is_taken_and_told() -> None:
    model = bottleneck()
    state = renamed(dict(model.state_dict()), ("^fc", "categories"))
    assert assert_opens_as(model, state).notes == ("using categories as the classifier",)


def test_a_classifier_without_a_bias_or_as_a_convolution_is_the_same_layer() -> None:
    model = bottleneck()
    model.fc.bias.data.zero_()
    state = dict(model.state_dict())
    del state["fc.bias"]
    assert_opens_as(model, {**state, "fc.weight": state["fc.weight"][:, :, None, None]})


@pytest.mark.parametrize(
    "extra",
    [
        {"criterion.weight": torch.ones(10)},
        {
            "total_ops": torch.zeros(1),
            "layer1.0.conv1.total_ops": torch.zeros(1, dtype=torch.float64),
            "fc.total_params": torch.zeros(1),
            "layer1.total_params": torch.zeros(1),
        },
        {
            "train_acc.correct": torch.tensor(3.0),
            "val_auroc.confmat": torch.zeros(10, 10),
            "valid_metrics.tp": torch.zeros(10, dtype=torch.long),
        },
        {"teacher.blocks.0.attn.qkv.weight": torch.zeros(6, 2)},
        {"queue": torch.zeros(16, 8), "queue_ptr": torch.zeros(1, dtype=torch.long)},
        {"loss_fn.pos_weight": torch.ones(10), "ce_loss.weight": torch.ones(10)},
        {"global_step": torch.tensor(7)},
    ],
    ids=lambda extra: next(iter(extra)),
)
@pytest.mark.parametrize("prefix", ["", "model."])
def test_what_only_a_training_needs_is_left_out(extra: State, prefix: str) -> None:
    model = bottleneck()
    state = {prefix + name: tensor for name, tensor in model.state_dict().items()}
    assert_opens_as(model, {**state, **extra})


def test_a_student_is_taken_before_its_teacher_and_an_average_before_the_weights() -> None:
    model, other = bottleneck(), basic()
    student = {f"student.{name}": tensor for name, tensor in model.state_dict().items()}
    teacher = {f"teacher.{name}": tensor for name, tensor in other.state_dict().items()}
    found = assert_opens_as(model, {**teacher, **student})
    assert "using student. of 2 networks, not teacher." in found.notes
    plain = {name: tensor + 1 for name, tensor in model.state_dict().items()}
    averaged = {f"ema.{name}": tensor for name, tensor in model.state_dict().items()}
    assert "ema." in assert_opens_as(model, {**plain, **averaged}).notes[0]
    contrast = {
        f"module.encoder_{part}.{name}": tensor
        for part, network in (("k", other), ("q", model))
        for name, tensor in network.state_dict().items()
    }
    found = recognise({**contrast, "module.queue": torch.zeros(8, 4)})
    assert torch.equal(
        found.state["layer1.0.conv3.weight"], model.state_dict()["layer1.0.conv3.weight"]
    )
    assert "fc.weight" not in found.state  # an embedding, not a classifier


@pytest.mark.parametrize("head", ["fc", "projector", "projection_head", "backbone.head"])
def test_a_head_of_several_layers_is_left_out_and_told(head: str) -> None:
    model = bottleneck()
    state = {f"backbone.{n}": t for n, t in model.state_dict().items() if not n.startswith("fc")}
    state |= {f"{head}.0.weight": torch.zeros(5, 64), f"{head}.2.weight": torch.zeros(3, 5)}
    found = recognise(state)
    assert found.left_over == ()
    assert "fc.weight" not in found.state
    assert any(f"{head}.0.weight" in note for note in found.notes)


def test_a_segmentation_networks_encoder_opens_without_a_classifier() -> None:
    model = bottleneck()
    state = {f"encoder.{n}": t for n, t in model.state_dict().items() if not n.startswith("fc")}
    state |= {
        "decoder.blocks.0.conv1.0.weight": torch.zeros(4, 8, 3, 3),
        "segmentation_head.0.weight": torch.zeros(2, 4, 3, 3),
    }
    found = recognise(state)
    assert found.left_over == ()
    assert "left out, not part of the network: decoder.blocks.0.conv1.0.weight" in found.notes[0]


@pytest.mark.parametrize(
    "name",
    [
        "layer1.0.se.fc1.weight",
        "layer2.0.downsample.2.weight",
        "attention.weight",
        "layer1.0.alpha",
        "bn1.act.weight",
    ],
)
@pytest.mark.parametrize("prefix", ["", "module."])
def test_a_layer_that_ours_lack_is_never_left_out(name: str, prefix: str) -> None:
    state = {**bottleneck().state_dict(), name: torch.zeros(3, 7)}
    found = recognise({prefix + key: tensor for key, tensor in state.items()})
    assert found.left_over == (prefix + name,)
    with pytest.raises(CheckpointError, match=f"the first difference is {prefix}{name}"):
        check_fit(found, infer_config(found.state))


def test_a_layer_between_backbone_and_classifier_is_never_left_out() -> None:
    state = {
        ("head." if n.startswith("fc") else "backbone.") + n: t
        for n, t in bottleneck().state_dict().items()
    }
    found = recognise({**state, "neck.fc.weight": torch.zeros(64, 64)})
    assert found.left_over == ("neck.fc.weight",)


def test_a_misfit_names_the_first_difference_as_the_file_does() -> None:
    state = prlz77(dict(bottleneck().state_dict()))
    name = "module.stage_1.stage_1_bottleneck_1.conv_reduce.weight"
    found = recognise({**state, name: state[name][:5]})
    with pytest.raises(
        CheckpointError, match=rf"{re.escape(name)}, which is 5x16x1x1 instead of 8x16x1x1"
    ):
        check_fit(found, infer_config(found.state))


def test_two_projections_of_one_block_are_not_one() -> None:
    state = dict(bottleneck().state_dict())
    state["layer2.0.skip.0.weight"] = state["layer2.0.downsample.0.weight"] + 1
    assert recognise(state).left_over == ("layer2.0.skip.0.weight",)


def test_a_file_of_very_many_networks_is_refused_at_once() -> None:
    tiny = torch.zeros(1, 1, 3, 3)
    state = {
        f"n{number}.{name}.weight": tiny
        for number in range(500)
        for name in ("conv1", "layer1.0.conv1")
    }
    with pytest.raises(CheckpointError, match="contains 500 networks"):
        recognise(state)
