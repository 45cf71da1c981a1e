"""All measurements, one after the other: `python -m bench`."""

from bench import grouped_conv, input, step  # noqa: A004 - the module of the input pipeline

for part in (step, input, grouped_conv):
    part.main()
