"""The public names of the package, which later work relies on."""

import inspect
from collections.abc import Callable

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


SIGNATURES = {
    "design": "like base cardinality width depth multiplier multiple_of by scope factor input "
    "num_classes pareto tolerance **measuring",
    "evaluate": "model data classes device progress **flags",
    "open_run": "folder",
    "predict": "model images top min_score batch_size device precision progress",
    "run_study": "study data scale recipe head seeds settings root progress **flags",
    "train": "data val classes model recipe out name settings progress **flags",
}
METHODS = {
    "evaluate": "self data classes device progress **flags",
    "export": "self out progress **flags",
    "figures": "self",
    "load": "self device",
    "predict": "self images top min_score batch_size device precision progress",
    "report": "self out",
    "resume": "self data val classes progress",
}


def _arguments(function: Callable[..., object]) -> str:
    found = inspect.signature(function).parameters.values()
    return " ".join(f"{'**' * (one.kind is one.VAR_KEYWORD)}{one.name}" for one in found)


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_function_takes_these_arguments(name: str) -> None:
    assert _arguments(getattr(resnext, name)) == SIGNATURES[name]


def test_a_run_has_these_methods_and_attributes() -> None:
    public = {name: value for name, value in vars(resnext.Run).items() if not name.startswith("_")}
    methods = {name: value for name, value in public.items() if inspect.isfunction(value)}
    assert {name: _arguments(value) for name, value in methods.items()} == METHODS
    assert public.keys() - methods.keys() == {"metrics", "model", "problems", "steps"}
    assert resnext.Run.__annotations__.keys() == {"config", "folder"}


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
