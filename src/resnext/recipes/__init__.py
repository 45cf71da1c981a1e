"""Functions that return configs: recipes of training, and the paper's studies. No logic.

`presets`, `finetune` and `photos` choose the settings of a training; `cardinality`,
`state_of_the_art` and `design_space` write out studies, at the scales of `study_scale`. May import
studies, the configs of data, model and runs, and the cost solver; only the command imports it.
"""
