"""Modules with custom blocks, stems and shortcuts, imported on request.

There are three ways to load one: `--plugin` on the command line, the variable `RESNEXT_PLUGINS`,
and `load_plugin` in a program. The first and the last set the variable, so that the processes of a
study, of torchrun or of a benchmark find the same parts. Modules named in a weight file, a run or a
study are never imported.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

from resnext.errors import ConfigError
from resnext.untrusted.names import shown, with_home

VARIABLE = "RESNEXT_PLUGINS"
"""Modules and absolute file paths, separated as in PATH."""

ADVICE = (
    "Load custom parts first: --plugin FILE.py or --plugin MODULE on the command line, "
    f"{VARIABLE} in the environment, or resnext.load_plugin in a program"
)

_PREFIX = "resnext_plugin_"  # a file named calendar.py must not hide the standard library's

_MAX_PATH = 500  # the name of the file is at the end

_loaded: dict[str, ModuleType] = {}


def load_plugin(module_or_file: str | Path) -> ModuleType:
    """Import a module that registers parts; repeated calls have no effect.

    Args:
        module_or_file: The name of a module that Python finds, or the path of a `.py` file.

    Returns:
        The module.

    Raises:
        ConfigError: There is no such module or file, or it fails.
    """
    name = with_home(module_or_file)
    is_file = name.endswith(".py")
    key = str(Path(name).absolute()) if is_file else name
    if key not in _loaded:
        module = _import_file(Path(key)) if is_file else _import_module(name)
        _loaded[key] = module
        _remember(key)
    return _loaded[key]


def load_from_environment() -> None:
    """Import the plugins listed in the environment."""
    for name in filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)):
        if name not in _loaded:
            load_plugin(name)


def environment() -> dict[str, str]:
    """Return the variable for processes that do not inherit it, such as on a cluster."""
    return {VARIABLE: os.environ[VARIABLE]} if VARIABLE in os.environ else {}


def describe_plugins() -> dict[str, str]:
    """Return the plugins of this process with the SHA-256 of their source."""
    return {
        name: hashlib.sha256(Path(module.__file__).read_bytes()).hexdigest()
        for name, module in _loaded.items()
        if module.__file__ is not None
    }


def plugin_name(module: str) -> str:
    """Return the name of a plugin as the user gave it: a module or a file."""
    is_file = module.startswith(_PREFIX)
    return f"{module.removeprefix(_PREFIX)}.py" if is_file else module


def check_shared(module: str) -> None:
    """Check that child processes will import a module that registers parts.

    Raises:
        ConfigError: They would not, because it was imported in another way.
    """
    shared = [loaded.__name__ for loaded in _loaded.values()]
    if not any(module == name or module.startswith(f"{name}.") for name in shared):
        raise ConfigError(
            f"{shown(plugin_name(module))} registers a part of the network, but other processes "
            "do not import it; load it with resnext.load_plugin(MODULE or FILE.py) from a "
            "separate file instead of defining or importing it in the program"
        )


def _remember(key: str) -> None:
    known = list(filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)))
    if key not in known:
        os.environ[VARIABLE] = os.pathsep.join([*known, key])


def _import_module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise _failed(name, error) from error


def _import_file(path: Path) -> ModuleType:
    name = _PREFIX + path.stem
    if name in sys.modules:
        raise ConfigError(
            f"plugin {shown(str(path), _MAX_PATH)}: {sys.modules[name].__file__} has the same file "
            "name; rename one"
        )
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise _failed(str(path), error) from error
    return module


def _failed(name: str, error: Exception) -> ConfigError:
    return ConfigError(
        f"plugin {shown(name, _MAX_PATH)} cannot be imported ({type(error).__name__}: {error}); "
        "give the name of a module that Python finds, or the path of a .py file"
    )
