"""Runs all measurements one after another: `python -m bench`.

`bench.fashion_mnist` needs its images and an hour, so it is run separately.
"""

from bench import (
    grouped_bf16,
    grouped_conv,
    input,  # noqa: A004 - the module of the input pipeline
    precision,
    step,
    study,
)

for part in (step, precision, input, grouped_conv, grouped_bf16, study):
    part.main()
