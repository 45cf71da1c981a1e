"""Measures training and inference on one GPU within a short reservation.

    python -m bench.gpu --minutes 6

It runs the tests marked `gpu`, then measures training throughput against timm and torchvision, our
whole loop, time against group width, and the share of the device's peak. Parts that do not fit into
the minutes are skipped and listed. Results go to a JSON file and to docs/benchmarks/gpu.md.
`--device cpu --minutes 2` is a rehearsal.
"""
