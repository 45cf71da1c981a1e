"""The program `resnext`, also as `python -m resnext`, the form that `torchrun` needs."""

import sys

from resnext import ctrl_c


def main() -> int:
    """Run the command; see `resnext.cli.main`, which is slower to import."""
    ctrl_c.watch()
    from resnext.cli.main import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
