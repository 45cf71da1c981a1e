"""The training of one run: the visible loop and what it stands on.

`train` begins or resumes a run, `loop` goes through epochs, `step` is one step; `optimizer`,
`schedule`, `loss` and `finetune` follow the settings; `checkpoint` and its writer keep the state;
`find_lr` is the range test. May import evaluation, runs, data, complexity, weights and model.
"""
