"""The command `resnext`: one file per verb, which reads flags, calls the package and prints.

`main` finds the verb without importing the others, and turns errors into one message; `arguments`
reads flags; files named VERB_output print; the rest is shared by several verbs. Heavy imports are
inside the verbs, so that help is fast. May import everything; nothing imports it.
"""
