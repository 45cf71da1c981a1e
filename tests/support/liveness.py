"""Other processes, as Linux lists them."""

from pathlib import Path


def is_alive(pid: int) -> bool:
    """Tell whether a process runs: it has not ended, and is more than a zombie.

    It may end while its file is opened (FileNotFoundError) or read (ProcessLookupError).
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"  # the command's name may hold anything
