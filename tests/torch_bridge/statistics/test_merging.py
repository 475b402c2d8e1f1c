"""Merged statistics of parts of the data, in any order, against one run over all of it and against numpy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from innerwalk.torch_bridge.statistics import ChannelHistogram, Covariance, TopK, ValueRange

CHANNELS, KEPT = 5, 4


def answers(count: int, seed: int, few: bool = False) -> np.ndarray:
    """(count, CHANNELS, 12) float32; few: rounded, so that many values are equal."""
    values = np.random.default_rng(seed).standard_normal((count, CHANNELS, 12)).astype(np.float32)
    return np.round(values) if few else values


def best_of(values: np.ndarray, numbers: np.ndarray) -> TopK:
    """The best of the pictures with these numbers."""
    flat = values[numbers]
    where = flat.argmax(2).T
    return TopK.of(flat.max(2).T, numbers, np.stack(np.divmod(where, 4), -1))


def shards(count: int, cuts: list[int]) -> list[np.ndarray]:
    return [part for part in np.split(np.arange(count), sorted(cuts)) if len(part)]


def same(first, second) -> bool:
    return all(np.array_equal(getattr(first, name), getattr(second, name)) for name in vars(first))


@given(st.integers(1, 40), st.lists(st.integers(0, 40), max_size=6), st.booleans(), st.randoms(use_true_random=False))
def test_top_k_gives_the_same_bits_from_any_shards(count, cuts, few, order):
    values = answers(count, count, few)
    parts = shards(count, cuts)
    order.shuffle(parts)
    found = TopK.empty(CHANNELS, KEPT)
    for part in parts:
        found = found.merged(best_of(values, part))
    assert same(found, TopK.empty(CHANNELS, KEPT).merged(best_of(values, np.arange(count))))
    for channel in range(CHANNELS):
        known = sorted((-float(values[k, channel].max()), k) for k in range(count))[:KEPT]
        assert found.pictures[channel, : len(known)].tolist() == [k for _, k in known]
        assert found.values[channel, : len(known)].tolist() == [-value for value, _ in known]
        assert (found.pictures[channel, len(known) :] == -1).all()
        for (_, k), (y, x) in zip(known, found.positions[channel], strict=False):
            assert values[k, channel].reshape(3, 4)[y, x] == values[k, channel].max()


def test_equal_values_go_by_the_lower_number():
    nothing = np.zeros((1, 3, 2))
    found = TopK.empty(1, 2).merged(TopK.of(np.ones((1, 3)), np.array([9, 4, 7]), nothing))
    assert found.pictures.tolist() == [[4, 7]]
    assert found.merged(TopK.of(np.ones((1, 1)), np.array([5]), nothing[:, :1])).pictures.tolist() == [[4, 5]]


def test_nan_is_no_value():
    found = TopK.empty(1, 3).merged(TopK.of(np.array([[np.nan, 1.0]]), np.array([0, 1]), np.zeros((1, 2, 2))))
    assert found.pictures.tolist() == [[1, -1, -1]] and found.values[0, 1] == -np.inf


def test_ranks_are_columns_of_both():
    first = TopK.empty(1, 2).merged(TopK.of(np.array([[3.0, 1.0]]), np.array([0, 1]), np.zeros((1, 2, 2))))
    other = TopK.of(np.array([[2.0, 5.0]]), np.array([2, 3]), np.zeros((1, 2, 2)))
    assert first.merge_ranked(other)[1].tolist() == [[3, 0]]


def range_of(values: np.ndarray) -> ValueRange:
    return ValueRange.of(values.min(2), values.max(2), (values > 0).sum(2), values.shape[2])


@given(st.integers(2, 30), st.integers(1, 29))
def test_value_range_gives_the_same_bits_from_two_parts(count, cut):
    values = answers(count, count, few=True)
    cut = min(cut, count - 1)
    parts = range_of(values[cut:]).merged(range_of(values[:cut]))
    assert same(parts, range_of(values))
    assert parts.pictures == count and parts.value_count == count * 12
    assert parts.positive.tolist() == (values > 0).sum((0, 2)).tolist()
    assert parts.active_pictures.tolist() == (values > 0).any(2).sum(0).tolist()
    assert parts.high.tolist() == values.max((0, 2)).tolist() and parts.low.tolist() == values.min((0, 2)).tolist()


def test_histograms_add_up_and_know_quantiles():
    values = answers(200, 3).transpose(1, 0, 2).reshape(CHANNELS, -1) * np.array([[1e-3], [1], [30], [500], [1]])
    values = values.astype(np.float32)
    whole = ChannelHistogram.of(values)
    assert same(ChannelHistogram.of(values[:, :700]).merged(ChannelHistogram.of(values[:, 700:])), whole)
    assert whole.counts.sum(1).tolist() == [2400] * CHANNELS
    for share in (0.6, 0.95, 0.99):
        known = np.quantile(values, share, axis=1)
        assert np.abs(whole.quantile(share) / known - 1).max() < 0.06
    assert (whole.quantile(0.3) == 0).all()  # three tenths of them are below 0


def test_a_histogram_of_odd_values():
    odd = np.array([[np.nan, np.inf, -np.inf, 0, 1e-30, 1e30]], np.float32)
    counts = ChannelHistogram.of(odd).counts[0]
    assert counts[0] == 3 and counts[1] == 1 and counts[-1] == 2
    assert ChannelHistogram.of(np.zeros((2, 0), np.float32)).quantile(0.5).tolist() == [0, 0]


@pytest.mark.parametrize("far", [0.0, 1e4])
def test_covariance_is_numpys_correlation(far):
    values = answers(120, 5).transpose(0, 2, 1).reshape(-1, CHANNELS).astype(np.float64) + far
    values[:, 1] = values[:, 0] * 3 - 2
    values[:, 2] = far
    found = Covariance.of(values[:50]).merged(Covariance.of(values[50:51])).merged(Covariance.of(values[51:]))
    other = Covariance.of(values[51:]).merged(Covariance.of(values[:51]))
    whole = Covariance.of(values)
    assert np.allclose(found.products, whole.products, rtol=1e-12, atol=1e-9 * len(values))
    assert np.allclose(found.mean, other.mean, rtol=1e-12, atol=1e-12)
    assert np.allclose(found.deviation, values.std(0), atol=1e-9)
    known = np.delete(np.delete(values, 2, 1).T, [], 0)
    kept = [0, 1, 3, 4]
    assert np.allclose(found.correlations()[np.ix_(kept, kept)], np.corrcoef(known), atol=1e-9)
    assert np.abs(found.correlations()[2]).max() < 1e-6
