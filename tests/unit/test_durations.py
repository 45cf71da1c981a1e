import pytest

from resnext.durations import duration_text, format_seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0.0 seconds"),
        (9.96, "10 seconds"),
        (44.0, "44 seconds"),
        (48.0, "0.8 minutes"),
        (1500.0, "25 minutes"),
        (2700.0, "0.8 hours"),
        (100_000.0, "1.2 days"),
    ],
)
def test_an_estimate_has_two_digits_or_so(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0:00"), (61.0, "1:01"), (3600.0, "1:00:00"), (59.7, "1:00")]
)
def test_time_left_is_told_to_the_second(seconds: float, text: str) -> None:
    assert format_seconds(seconds) == text
