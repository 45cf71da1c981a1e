"""The HTTP service: requests in, answers out, within limits of time and memory.

`transport`, `body` and `upload` read requests, `admission` and `room` bound the work, `preparation`
judges images, `model` is the served network and `batcher` runs it. Pixels and named classes are
those of `resnext.inference`. It may import `export`, to serve a run, but neither `cli` nor `page`,
which is mounted by whoever starts the service; an exported file is served without torch.
"""
