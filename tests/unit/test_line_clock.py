"""Lines come often at the start and then every half minute, by a clock of the test's own."""

from resnext.line_clock import LineClock


def due_times(duration_s: int, first_s: float = 0.0) -> list[int]:
    now = 0.0
    clock = LineClock(first_s=first_s, clock=lambda: now)
    times = []
    for second in range(duration_s):
        now = float(second)
        if clock.is_due():
            times.append(second)
    return times


def test_pauses_double_up_to_half_a_minute() -> None:
    assert due_times(160) == [0, 2, 6, 14, 30, 60, 90, 120, 150]


def test_the_first_line_may_wait() -> None:
    assert due_times(30, first_s=10.0) == [10, 12, 16, 24]


def test_an_hour_is_no_flood() -> None:
    assert len(due_times(3600)) < 130
