"""Children end with the process that started them, however that one ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from liveness import is_alive

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

POOL = """
import os, time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from resnext.parent import end_with_parent

def work(seconds):
    os.write(1, b"%d\\n" % os.getpid())  # at once: the lines of three processes must not mix
    time.sleep(seconds)

if __name__ == "__main__":
    pool = ProcessPoolExecutor(3, get_context("fork"), end_with_parent, (partial(os._exit, 1),))
    list(pool.map(work, [600, 600, 600]))
"""

PIPE = """
import os, subprocess, sys, time
from resnext.parent import give_stdin_to_children
child = '''
import os, time
from functools import partial
from resnext.parent import end_with_parent
end_with_parent(partial(os._exit, 1), pipe=0)
os.write(1, b"%d\\\\n" % os.getpid())
time.sleep(600)
'''
give_stdin_to_children()
children = [subprocess.Popen([sys.executable, "-c", child]) for _ in range(3)]
time.sleep(600)
"""

SHIELDED = """
import os, time
from resnext.parent import end_by_parent_only
child = os.fork()
if child == 0:
    end_by_parent_only()
    print(os.getpid(), flush=True)
    time.sleep(600)
    os._exit(0)
input()
os.kill(child, 15)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def start(program: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("program", [POOL, PIPE], ids=["pool", "pipe"])
def test_children_of_a_killed_process_end(program: str) -> None:
    with start(program) as parent:
        assert parent.stdout is not None
        children = [int(parent.stdout.readline()) for _ in range(3)]
        assert all(map(is_alive, children))
        parent.kill()
        deadline = time.monotonic() + 20
        while any(map(is_alive, children)) and time.monotonic() < deadline:
            time.sleep(0.05)
        left = [child for child in children if is_alive(child)]
        for child in left:
            os.kill(child, signal.SIGKILL)
    assert not left


def test_only_the_parents_signal_ends_a_child_that_it_is_left_to() -> None:
    with start(SHIELDED) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        for number in (signal.SIGTERM, signal.SIGINT):
            os.kill(child, number)
        time.sleep(0.3)
        assert is_alive(child)
        out, _ = parent.communicate("\n", timeout=20)
    assert out.strip() == "0"
