"""All measurements, one after the other: `python -m bench`.

`bench.fashion_mnist` needs its images and an hour, so it is started by itself.
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
