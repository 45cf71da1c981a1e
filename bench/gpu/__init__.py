"""What this family of networks does on one GPU, in the minutes of a short reservation.

    python -m bench.gpu --minutes 6

First the tests marked `gpu`, then rates of training against timm and torchvision, our whole
loop, time against group width, and the share of the device's peak. What does not fit into the
minutes is left out and listed. Results go to a JSON file and to docs/benchmarks/gpu.md.
`--device cpu --minutes 2` rehearses it.
"""
