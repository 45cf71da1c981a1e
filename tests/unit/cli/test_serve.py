from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from python_process import run_python

from resnext.cli.serve import Serve, _page, main
from resnext.errors import CheckpointError, ConfigError


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--port", "99999"], "--port 99999: cannot listen there"),
        (["--host", "no.such.host.invalid"], "cannot listen there"),
        (["--max-images", "0"], "max_images=0"),
        (["--max-megapixels", "1000"], "max_megapixels=1000"),
        (["--formats", "png", "eps"], "formats"),
        (["--replicas", "2"], "--replicas needs --cluster"),
        (["--cluster", "local", "--replicas", "0"], "give a positive number"),
        (["--cluster", "local", "--watch"], "send SIGHUP"),
        (["--cluster", "local", "--drain-s", "2"], "--drain-s needs a single process"),
        (["--cluster", "local", "--runs", "runs"], "a cluster does not have"),
        (["--cluster", "local", "--port", "99999"], "--port 99999: cannot listen there"),
        (["--cluster", "auto", "--port", "0"], "--port 0 needs one machine"),
        (["--runs", "runs"], "--no-page disables"),
        (["--watch"], "--watch needs a local file or run"),
        (["--api-key-file", "no-such-file"], "cannot be read"),
    ],
)
def test_wrong_options_are_told_before_anything_is_opened(
    options: list[str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        main([str(tmp_path / "never-opened.onnx"), "--no-page", *options])


@pytest.mark.parametrize("options", [[], ["--cluster", "local"]])
def test_a_missing_file_is_told(options: list[str], tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="there is no such file"):
        main([str(tmp_path / "none.onnx"), "--port", "0", "--no-page", *options])


def test_a_broken_file_is_told_before_ray_starts(tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"x" * 100)
    with pytest.raises(CheckpointError, match=r"broken\.onnx"):
        main([str(broken), "--port", "0", "--cluster", "local"])


@pytest.mark.slow
def test_a_missing_extra_is_told_with_the_command_that_installs_it(tmp_path: Path) -> None:
    said = run_python(
        "import sys; sys.modules['uvicorn'] = None\n"
        "from resnext.cli.serve import main\n"
        "from resnext.errors import ConfigError\n"
        f"try: main([{str(tmp_path / 'a.onnx')!r}])\n"
        "except ConfigError as error: print(error)"
    )
    assert "pip install 'resnext[serve]'" in said


def test_the_page_gets_the_name_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr("resnext.page.build_page", given.update)
    monkeypatch.setattr("resnext.inference.load.load", lambda path: f"open {path}")
    model = SimpleNamespace(name="photos", exported=None, noun="images")
    service: Any = SimpleNamespace(model=model)
    _page(Serve(Path("runs/photos"), runs=Path("runs")), service)
    assert given == {"model": "open runs/photos", "runs": Path("runs"), "name": "photos"}
