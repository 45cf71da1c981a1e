"""The public names of the package, which later work relies on."""

import pytest
from python_process import run_python

import resnext
from resnext.model.config import ResNeXtConfig


def test_the_public_names_are_these() -> None:
    assert sorted(resnext.__all__) == [
        "Backbone",
        "DesignRow",
        "Evaluation",
        "ModelCard",
        "Prediction",
        "ResNeXt",
        "ResNeXtConfig",
        "Run",
        "StudyResult",
        "TrainedBackbone",
        "TrainedNetwork",
        "count",
        "create_model",
        "design",
        "evaluate",
        "from_pretrained",
        "list_models",
        "load",
        "load_plugin",
        "open_run",
        "predict",
        "push_to_hub",
        "run_study",
        "save_pretrained",
        "train",
    ]
    assert set(resnext.__all__) <= set(dir(resnext))


ALIASES = {"from_pretrained": "load"}


@pytest.mark.parametrize("name", sorted(resnext.__all__))
def test_a_public_name_is_there(name: str) -> None:
    assert getattr(resnext, name).__name__ == ALIASES.get(name, name)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'resnext' has no attribute 'creat_model'"):
        _ = resnext.creat_model


@pytest.mark.slow
def test_a_network_is_described_listed_and_built_by_public_names() -> None:
    model = resnext.create_model("resnext29_8x64d", num_classes=10, in_channels=1, form="a")
    assert isinstance(model.config, ResNeXtConfig)
    assert "resnext29_8x64d" in resnext.list_models()


def test_names_and_configs_do_not_import_torch() -> None:
    run_python(
        "import sys, resnext; resnext.list_models(); resnext.ResNeXtConfig(); "
        "sys.exit('torch' in sys.modules)"
    )
