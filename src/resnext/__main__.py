"""`python -m resnext`, the form that `torchrun -m resnext` needs."""

import sys

from resnext.cli.main import main

sys.exit(main())
