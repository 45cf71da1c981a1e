"""The network as data and modules: config, names, plan, blocks in three forms. No files.

`config`, `parts`, `registry`, `names` and `plan` are data and need no torch; `layers`, `blocks`,
`split_block`, `shortcut`, `network`, `baselines` and `create` are the modules built from it; `init`
draws their weights and `convert` moves weights between the forms. `card` and `normalisation`
describe the preprocessing of a network. It may import torch and, of ours, only `settings`, `errors`
and `untrusted`.
"""
