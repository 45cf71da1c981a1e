"""The HTTP service: images in, classes out.

`server` and `transport` hold connections, `app` and `routes` answer, `admission`, `limits`, `body`
and `upload` refuse what is too much, `service` and `batcher` predict with a `model` from a
`source`; `cluster` runs it all on Ray. May import export, evaluation and what is below; the page is
given to it as a function, so that it imports none.
"""
