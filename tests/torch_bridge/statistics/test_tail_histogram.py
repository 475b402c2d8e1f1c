"""Histograms with fine buckets in the highest octaves only: quantiles, and the same bits in any order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from innerwalk.torch_bridge.statistics import ChannelHistogram, TailHistogram, tail_histogram
from innerwalk.torch_bridge.statistics.histogram import COARSE, FINE


def histogram(values: np.ndarray, *cuts: int) -> TailHistogram:
    """That of values (C, n), added in parts."""
    found = TailHistogram.empty(len(values))
    for part in np.split(values, cuts, axis=1):
        found.add(part)
    return found


def same(one: TailHistogram, other: TailHistogram) -> bool:
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in vars(one))


def activations(seed: int, count: int = 20_000) -> np.ndarray:
    values = np.random.default_rng(seed).gamma(1.5, 2.0, (4, count)).astype(np.float32)
    values[1] *= 1e-3
    values[2] = values[2] * 40 - 100
    values[3] = np.maximum(values[3] - 6, 0)  # mostly silent
    return values


@pytest.mark.parametrize("share", [0.0005, 0.005, 0.05, 0.3])
def test_high_quantiles_are_those_of_fine_buckets_everywhere(share):
    values = activations(3)
    found = histogram(values, 7000, 7001).quantile(1 - share)
    is_high = found >= values.max(1) / 8
    assert np.array_equal(found[is_high], ChannelHistogram.of(values, FINE).quantile(1 - share)[is_high])
    assert is_high.sum() >= {0.05: 3, 0.3: 1}.get(share, 4)
    assert found == pytest.approx(np.quantile(values, 1 - share, axis=1), rel=0.01, abs=1e-6)


def test_far_below_the_largest_value_quantiles_are_those_of_coarse_buckets():
    values = activations(4)
    values[:, 5] = 6e4
    found = histogram(values, 100).quantile(0.9)
    assert np.array_equal(found, ChannelHistogram.of(values, COARSE).quantile(0.9))
    assert found == pytest.approx(np.quantile(values, 0.9, axis=1), rel=0.1, abs=1e-6)


@given(st.lists(st.integers(0, 300), max_size=5), st.integers(0, 1000))
def test_any_order_and_any_parts_give_the_same_bits(cuts, seed):
    random = np.random.default_rng(seed)
    values = np.exp(random.normal(-2, 6, (3, 300))).astype(np.float32) * random.choice([-1, 0, 1, 1], (3, 300))
    whole = histogram(values)
    mixed = values[:, random.permutation(300)]
    assert same(histogram(mixed, *sorted(cuts)), whole)
    merged = TailHistogram.empty(3)
    for part in np.split(mixed, sorted(cuts), axis=1):
        merged.merge(histogram(part))
    assert same(merged, whole)


def test_odd_values_are_counted():
    odd = np.array([[np.nan, -1.0, np.inf, 1e30, 1e-30]], np.float32)
    found = histogram(odd)
    assert found.coarse[0, :2].tolist() == [2, 1] and found.coarse.sum() == 3 and found.fine.sum() == 2
    assert np.isfinite(found.quantile(0.995)).all()
    assert histogram(np.zeros((1, 50), np.float32)).quantile(0.995).tolist() == [0.0]
    assert TailHistogram.empty(2).quantile(0.5).tolist() == [0, 0]


def test_counts_grow_beyond_32_bits(monkeypatch):
    monkeypatch.setattr(tail_histogram, "MOST", 50)
    found = histogram(np.ones((2, 60), np.float32), 30)
    assert found.coarse.dtype == found.fine.dtype == np.int64 and found.fine.sum() == 120
