from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from resnext.data.signals.prepare import (
    channel_statistics,
    fill_gaps,
    pad,
    prepare_series,
    resample,
    standardise,
)

NAN = float("nan")


def _row(*values: float) -> np.ndarray:
    return np.array([values], dtype=np.float32)


def test_gaps_are_interpolated_and_ends_take_the_nearest_value() -> None:
    filled = fill_gaps(_row(NAN, 1, NAN, NAN, 4, NAN))
    np.testing.assert_allclose(filled, _row(1, 1, 2, 3, 4, 4))


def test_a_channel_without_any_value_stays_empty() -> None:
    series = np.array([[NAN, NAN], [1, NAN]], dtype=np.float32)
    np.testing.assert_array_equal(fill_gaps(series), [[NAN, NAN], [1, 1]])


def test_resampling_keeps_the_ends_and_lies_on_the_line_between_neighbours() -> None:
    np.testing.assert_allclose(resample(_row(0, 2, 8), 5), _row(0, 1, 2, 5, 8))
    np.testing.assert_allclose(resample(_row(0, 1, 2, 3, 4), 3), _row(0, 2, 4))
    np.testing.assert_allclose(resample(_row(7), 3), _row(7, 7, 7))


def test_padding_keeps_the_steps_and_cropping_the_middle() -> None:
    np.testing.assert_array_equal(pad(_row(1, 2), 4), _row(1, 2, NAN, NAN))
    np.testing.assert_array_equal(pad(_row(1, 2, 3, 4, 5), 3), _row(2, 3, 4))


def test_a_series_is_standardised_channel_by_channel() -> None:
    series = np.array([[1, 3], [10, 10]], dtype=np.float32)
    np.testing.assert_allclose(standardise(series), [[-1, 1], [0, 0]])


@settings(max_examples=60, deadline=None)
@given(
    series=hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=9),
        elements=st.one_of(st.floats(-1e6, 1e6, width=32), st.just(NAN)),
    ),
    length=st.integers(1, 20),
    fit=st.sampled_from(["resample", "pad"]),
    normalise=st.sampled_from(["channel", "series", "none"]),
)
def test_any_series_gets_its_length_and_stays_finite_where_it_has_values(
    series: np.ndarray, length: int, fit: str, normalise: str
) -> None:
    prepared = prepare_series(series, length, fit, normalise)  # type: ignore[arg-type]
    assert prepared.shape == (len(series), length)
    assert prepared.dtype == np.float32
    assert not np.isinf(prepared).any()
    if fit == "resample":
        empty = np.isnan(series).all(axis=1)
        np.testing.assert_array_equal(np.isnan(prepared).all(axis=1), empty)
        np.testing.assert_array_equal(np.isnan(prepared).any(axis=1), empty)


def test_statistics_leave_out_what_has_no_value() -> None:
    values = np.array([[[1, 3, NAN], [5, 5, 5]], [[NAN, NAN, NAN], [5, 5, 5]]], dtype=np.float32)
    mean, std = channel_statistics(values)
    assert mean == pytest.approx((2, 5))
    assert std == pytest.approx((1, 1))
