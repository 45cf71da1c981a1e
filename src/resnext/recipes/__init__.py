"""Functions that return configs: training recipes and the paper's studies. No logic.

`presets`, `finetune` and `photos` choose training settings; `cardinality`, `state_of_the_art` and
`design_space` define studies, at the scales of `study_scale`. May import studies, the configs of
data, model and runs, and the cost solver; only the command imports it.
"""
