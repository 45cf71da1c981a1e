"""Build the wheel and the sdist, install the wheel into a clean environment, and use it there.

    python deploy/check_dist.py DIST [--work FOLDER] [--extras [NAME ...]]

The environment is new and independent of the source tree. Without extras, every feature that needs
one must say so (`missing_extras`). `--extras` also installs each extra alone on top of the base, or
only those named; all of them take several gigabytes. Needs `build` and `twine` (extra `dev`).
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]

_BASE = (
    ("--version",),
    ("describe", "resnext50_32x4d", "--compare", "resnet50"),
    ("design", "--like", "resnet50", "--cardinality", "8"),
    ("train", "--data", "digits", "--epochs", "12", "--name", "demo", "--threads", "2"),
    ("evaluate", "runs/demo"),
    ("predict", "runs/demo", "seven.png", "--top", "3"),
    ("convert", "runs/demo", "demo.safetensors", "--form", "a"),
    ("study", "list"),
)
"""Commands that must work without an extra."""

_IMPORT_ALL = """
import importlib, sys
from resnext.extras import EXTRA_OF
for package in [package for package, extra in EXTRA_OF.items() if extra == sys.argv[1]]:
    importlib.import_module(package)
"""


def main() -> int:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dist", type=Path)
    parser.add_argument("--work", type=Path, help="keep the environment in this folder")
    parser.add_argument("--extras", nargs="*", metavar="NAME", help="also install extras alone")
    arguments = parser.parse_args()
    wheel, sdist = build(arguments.dist)
    look_inside(wheel, sdist)
    with tempfile.TemporaryDirectory() as folder:
        work = (arguments.work or Path(folder)).resolve()
        python = environment(work / "base", f"{wheel}")
        use(python, work / "use")
        for extra in extras() if arguments.extras == [] else arguments.extras or []:
            install_alone(extra, wheel, python, work / f"extra-{extra}")
    print(f"{wheel.name} and {sdist.name} are in order")
    return 0


def build(dist: Path) -> tuple[Path, Path]:
    """Return the wheel and the sdist; the wheel is built from the sdist."""
    shutil.rmtree(dist, ignore_errors=True)
    run(sys.executable, "-m", "build", "--outdir", dist, ROOT)
    (wheel,), (sdist,) = dist.resolve().glob("*.whl"), dist.resolve().glob("*.tar.gz")
    run(sys.executable, "-m", "twine", "check", "--strict", wheel, sdist)
    return wheel, sdist


def look_inside(wheel: Path, sdist: Path) -> None:
    """Compare the wheel with the sources in git."""
    tracked = subprocess.check_output(["git", "ls-files", "src"], cwd=ROOT, text=True).splitlines()
    expected = {name.removeprefix("src/") for name in tracked}
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert found == expected, f"the wheel and git differ: {sorted(found ^ expected)}"
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    needed = {"LICENSE", "README.md", "pyproject.toml"}
    assert needed <= names, f"missing in the sdist: {needed - names}"
    inside = [name for name in names if name.startswith((".venv", "runs/", "studies/", "site/"))]
    assert not inside, f"in the sdist by mistake: {inside[:5]}"


def environment(folder: Path, *wheels: str) -> Path:
    """Return the Python of an environment with the wheels installed."""
    python = folder / "bin/python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    run(python, "-m", "pip", "install", "--quiet", "--upgrade", *wheels)
    run(python, "-m", "pip", "check")
    return python


def use(python: Path, folder: Path) -> None:
    """Run the demo, and features whose extra is missing, in an empty folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "samples/seven.png", folder)
    where = run(python, "-c", "import resnext; print(resnext.__file__)", cwd=folder)
    assert "site-packages" in where, where
    run(python, "-c", "from resnext import *", cwd=folder)
    for words in _BASE:
        out = run(python, "-m", "resnext", *words, cwd=folder)
    print(run(python, ROOT / "deploy/missing_extras.py", cwd=folder))
    assert out


def install_alone(extra: str, wheel: Path, base: Path, folder: Path) -> None:
    """Install one extra over the base, whose packages the new environment sees."""
    venv.create(folder, with_pip=True)
    find = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages, here = run(base, "-c", find), run(folder / "bin/python", "-c", find)
    (Path(here.strip()) / "base.pth").write_text(packages)
    with_extra = environment(folder, f"{wheel}[{extra}]")
    run(with_extra, "-c", _IMPORT_ALL, extra)
    print(f"extra {extra}: installed")


def extras() -> list[str]:
    """Return the extras that users install."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    named = tomllib.loads(text)["project"]["optional-dependencies"]
    return [name for name in named if name not in ("dev", "docs")]


def clean() -> dict[str, str]:
    """Return this process's variables without those that lead to the source tree."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def run(*words: object, cwd: Path | None = None) -> str:
    """Run a command, and return what it prints."""
    command = [str(word) for word in words]
    print("$", *command, flush=True)
    done = subprocess.run(command, cwd=cwd, env=clean(), capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
