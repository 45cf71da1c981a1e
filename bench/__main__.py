"""All measurements, one after the other: `python -m bench`.

`bench.fashion_mnist` needs its images and an hour, so it is started by itself.
"""

from bench import grouped_conv, input, precision, step, study  # noqa: A004 - the module of the input pipeline

for part in (step, precision, input, grouped_conv, study):
    part.main()
