"""Python in a process of its own, where nothing is imported yet."""

import os
import subprocess
import sys
from pathlib import Path


def run_python(program: str, *arguments: str | Path, **environment: str) -> str:
    """Run a program, check that it succeeds, and return its standard output."""
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
