"""The training of one run.

`train` starts or resumes a run, `loop` iterates over epochs, `step` is one step; `optimizer`,
`schedule`, `loss` and `finetune` follow the settings; `checkpoint` and its writer store the state;
`find_lr` is the range test. May import evaluation, runs, data, complexity, weights and model.
"""
