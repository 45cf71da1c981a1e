"""A process that opens changed weight files: a crash of a library ends it and nothing else.

    python weight_worker.py KIND FOLDER SEED...

FOLDER holds the whole file as `base`. For each seed a line `start SEED` and a line of JSON follow.
"""

from __future__ import annotations

import io
import json
import os
import random
import resource
import sys
import traceback
import warnings
import zipfile
from pathlib import Path
from typing import TextIO

from mutation import mutate

MAX_MORE_MIB = 1024
"""Memory that opening a file of a few kilobytes may take."""

MAX_ADDRESS_SPACE = 8 << 30
_FRAGMENTS = (
    *(b"../../x", b"/etc/passwd", b"\x00", b"\xff\xfe", b'"', b"{", b"[" * 500, b"<a>" * 300),
    *(b"(" * 200, b"\x8a\x08" + b"\x7f" * 8, b"J\xff\xff\xff\x7f", b"cbuiltins\nbytearray\n"),
    *(b"\xff" * 10, b"\x0a\xff\xff\xff\xff\x07", b"&e;", b'<!ENTITY e "x">', b"ctorch\nload\n"),
)


def changed_files(files: dict[str, bytes], seed: int) -> dict[str, bytes]:
    """Damage one of a network's files; a zip archive's often inside a member, made whole again."""
    rng = random.Random(seed)
    name = rng.choice(sorted(files))
    is_zip = files[name][:4] == b"PK\x03\x04"
    change = rng.choice((mutate, _mutate_member, _mutate_member)) if is_zip else mutate
    return {**files, name: change(files[name], rng, _FRAGMENTS)}


def _mutate_member(data: bytes, rng: random.Random, fragments: tuple[bytes, ...]) -> bytes:
    """Damage one member of an archive, which stays a sound archive with right checksums."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        infos = old.infolist()
        pickled = [info for info in infos if info.filename.endswith((".pkl", ".json", ".py"))]
        target = rng.choice(pickled if pickled and rng.random() < 0.7 else infos)
        for info in infos:
            content, action = old.read(info), rng.random() if info is target else 1.0
            if action < 0.05:
                continue
            if action < 0.9:
                content = mutate(content, rng, fragments)
            kept = zipfile.ZipInfo(info.filename)
            if 0.9 <= action < 1.0:
                kept.compress_type = zipfile.ZIP_DEFLATED
                content += bytes(50 << 20)
            new.writestr(kept, content)
    return out.getvalue()


def main(kind: str, folder: Path, seeds: list[int], report: TextIO) -> None:
    """Open the files and report what came of each."""
    import torch
    from weight_bases import BASES

    torch.set_num_threads(1)
    names = BASES[kind].names
    files = {name: (folder / "base" / name).read_bytes() for name in names}
    changed = folder / "changed"
    changed.mkdir(exist_ok=True)
    _write(changed, files)
    whole = _try(changed / names[0])  # imports what the format needs
    print(json.dumps({"whole": whole}), file=report, flush=True)
    resource.setrlimit(resource.RLIMIT_AS, (_status("VmSize") + MAX_ADDRESS_SPACE,) * 2)
    for seed in seeds:
        print(f"start {seed}", file=report, flush=True)
        _write(changed, changed_files(files, seed))
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # resets the peak
        before = _status("VmRSS")
        outcome = _try(changed / names[0])
        more_mib = (_status("VmHWM") - before) >> 20
        if more_mib > MAX_MORE_MIB:
            outcome = f"takes {more_mib} MiB of memory"
        print(json.dumps({"outcome": outcome}), file=report, flush=True)


def _write(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).write_bytes(content)


def _try(path: Path) -> str:
    """Open a file as the commands do, and compute."""
    import torch
    from weight_bases import SIZE_PX

    from resnext.errors import ResNeXtError
    from resnext.inference.load import load

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = load(path).module
            with torch.inference_mode():
                module(torch.zeros(1, 3, SIZE_PX, SIZE_PX))
    except ResNeXtError as error:
        return "refused" if "\n" not in str(error) else f"a message of several lines: {error}"
    except BaseException:
        return " | ".join(traceback.format_exc().strip().splitlines()[-6:])
    return "accepted"


def _status(name: str) -> int:
    """Return a figure of this process in bytes."""
    text = Path("/proc/self/status").read_text(encoding="ascii")
    (line,) = (line for line in text.splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) << 10


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    own = os.fdopen(os.dup(1), "w", encoding="utf-8")
    for stream in (1, 2):  # what libraries print is not looked at
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    main(sys.argv[1], Path(sys.argv[2]), [int(seed) for seed in sys.argv[3:]], own)
