"""The HTTP service: answers requests within limits of time and memory.

`transport`, `body` and `upload` read requests, `admission` and `memory` limit the work,
`preparation` checks images, `model` is the served network and `batcher` runs it. Preprocessing and
class names come from `resnext.inference`. The package may import `export`, to serve a run, but
neither `cli` nor `page`; the caller that starts the service mounts the page. An exported file is
served without torch.
"""
