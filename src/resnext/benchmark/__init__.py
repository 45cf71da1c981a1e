"""Time networks side by side on this machine.

`benchmark` runs a plan: `networks` opens the networks, `staging` writes the files, `race` times
contestants alternately, each in its own process, `result`, `rows` and `plot` report the results.
`latency` and `latency_search` time designs in this process, for `resnext design`. May import
export, evaluation, complexity and the packages below them; only the command imports it.
"""
