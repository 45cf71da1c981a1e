import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from resnext.errors import ConfigError
from resnext.extras import EXTRA_OF, import_for, needed_by

EXTRAS = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"][
    "optional-dependencies"
]


@pytest.mark.slow
@pytest.mark.parametrize(("package", "extra"), EXTRA_OF.items())
def test_the_extra_that_is_named_installs_the_package(package: str, extra: str) -> None:
    (distribution, *_) = packages_distributions().get(package) or [package.replace("_", "-")]
    names = [line.partition("[")[0].partition(">")[0].lower() for line in EXTRAS[extra]]
    assert distribution.lower().replace("_", "-") in names


def test_a_missing_package_is_answered_with_the_command_that_installs_it() -> None:
    with (
        pytest.raises(
            ConfigError,
            match=r"^x needs the package optuna, .* pip install 'resnext\[halving\]'$",
        ),
        needed_by("x"),
    ):
        raise ModuleNotFoundError("no", name="optuna.samplers")


def test_a_missing_module_of_no_extra_is_our_own_mistake() -> None:
    with pytest.raises(ModuleNotFoundError):
        import_for("x", "resnext.nowhere")
