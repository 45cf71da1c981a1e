import socket

import pytest

from resnext.serving.server import bind


def test_answers_do_not_wait_for_the_caller_to_acknowledge_their_head() -> None:
    with bind("127.0.0.1", 0) as listening:
        listening.listen()
        with socket.create_connection(listening.getsockname()):
            accepted, _ = listening.accept()
            with accepted:
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
        # asyncio sets the option itself only where it knows the protocol
        assert listening.proto == socket.IPPROTO_TCP


def test_a_port_that_is_taken_or_impossible_is_told_before_anything_is_opened() -> None:
    with bind("127.0.0.1", 0) as first:
        first.listen()
        with pytest.raises(OSError, match="in use"):
            bind("127.0.0.1", first.getsockname()[1])
    with pytest.raises(OverflowError):
        bind("127.0.0.1", 70_000)
