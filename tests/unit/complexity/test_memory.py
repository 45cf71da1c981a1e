"""The tape: how long maps live, on sequences that can be followed by hand."""

from resnext.complexity.memory import Tape


def test_a_chain_holds_two_maps_at_a_time() -> None:
    tape = Tape()
    number = tape.new(10)
    for size in (30, 20, 5):
        number = tape.new(size, number)
    assert tape.peak_bytes() == 4 * (30 + 20)


def test_a_map_that_is_read_later_is_held_until_then() -> None:
    tape = Tape()
    source = tape.new(10)
    branch = tape.new(30, tape.new(20, source))
    tape.use(source, branch)
    assert tape.peak_bytes() == 4 * (10 + 20 + 30)


def test_what_is_used_only_in_place_takes_no_more_memory() -> None:
    tape = Tape()
    first = tape.new(10)
    second = tape.new(10, first)
    tape.use(first, second)
    tape.use(first, second)
    assert tape.peak_bytes() == 4 * 20


def test_a_map_that_several_layers_keep_is_kept_once() -> None:
    tape = Tape()
    source = tape.new(10)
    for _ in range(3):
        tape.keep(source)
    tape.keep(tape.new(7, source))
    tape.new(100, source)
    tape.keep_indices(3)
    assert tape.kept_bytes() == 4 * (10 + 7) + 8 * 3
