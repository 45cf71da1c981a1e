"""The exact cost of a network, counted without running it, and designs that meet a given cost.

Architectures are written out as operations on a `Flow`, which holds the rule of each layer:
`residual` (ours), `vgg` and `inception` (the paper's comparisons). `count` picks one; `budget`,
`family`, `solve` and `pareto` search designs by cost; `latency` and `runtimes` measure time;
`table`, `template` and `paper` show results; `part_count` and `verify` check the rules of
registered parts against their modules. It may import `model`, whose config and plan need no torch;
torch is imported only where something is measured.
"""
