"""Time networks side by side on this machine.

`benchmark` runs a plan: `networks` opens what is named, `staging` writes the files, `race` lets
contestants in processes of their own take turns, `result`, `rows` and `plot` make figures of it.
`latency` and `latency_search` time designs in this process, for `resnext design`. May import
export, evaluation, complexity and what is below; nothing but the command imports it.
"""
