"""Alignment, drift and pairs of units against known answers."""

from itertools import permutations

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs torch")

from innerwalk.torch_bridge.comparison.assignment import NOBODY, best_pairs
from innerwalk.torch_bridge.comparison.similarity import (
    cka_matrix,
    cosine,
    direction_changes,
    linear_cka,
    rank_changes,
    unit_correlations,
)


@pytest.fixture
def features() -> np.ndarray:
    return np.random.default_rng(1).normal(2, 1, (200, 7)).astype(np.float32)


def gram_cka(first: np.ndarray, second: np.ndarray) -> float:
    """The definition by kernels: <K, L> / (|K| |L|) with centred K = X Xᵀ."""
    grams = []
    for features in (first, second):
        centred = features.astype(np.float64) - features.mean(0)
        grams.append(centred @ centred.T)
    return float((grams[0] * grams[1]).sum() / np.prod([np.linalg.norm(gram) for gram in grams]))


def test_alignment_is_that_of_kernels(features):
    other = features @ np.random.default_rng(2).normal(0, 1, (7, 300)).astype(np.float32)
    other[:, 3] += np.random.default_rng(3).normal(0, 40, 200).astype(np.float32)
    assert linear_cka(features, other) == pytest.approx(gram_cka(features, other), abs=1e-5)
    assert 0.05 < linear_cka(features, other) < 0.95
    assert linear_cka(other, features) == pytest.approx(linear_cka(features, other), abs=1e-6)


def test_a_permuted_or_rotated_layer_is_the_same_to_alignment_and_not_to_the_cosine(features):
    order = np.random.default_rng(4).permutation(7)
    turned = features @ np.linalg.qr(np.random.default_rng(5).normal(0, 1, (7, 7)))[0].astype(np.float32)
    assert linear_cka(features, features[:, order]) == pytest.approx(1, abs=1e-5)
    assert linear_cka(features, 3 * turned + 5) == pytest.approx(1, abs=1e-5)
    assert cosine(features, features[:, order]) < 0.9 and cosine(features, features) == 1


def test_independent_layers_have_almost_no_alignment(features):
    noise = np.random.default_rng(6).normal(0, 1, (200, 7)).astype(np.float32)
    assert linear_cka(features, noise) < 0.1


def test_constant_layers_say_so(features):
    constant = np.full((200, 3), 4, np.float32)
    assert np.isnan(linear_cka(features, constant)) and linear_cka(constant, constant.copy()) == 1
    found = cka_matrix({"a": features, "b": constant}, {"a": features})
    assert found.shape == (2, 1) and found[0, 0] == pytest.approx(1, abs=1e-5) and np.isnan(found[1, 0])


def test_drift_is_exactly_zero_without_a_change_and_known_with_one(features):
    changed = features.copy()
    changed[:, 2], changed[:, 3], changed[:, 4] = -changed[:, 2], changed[:, 3] ** 3, 0
    assert not direction_changes(features, features.copy()).any() and not rank_changes(features, features.copy()).any()
    ranks = rank_changes(features, changed)
    assert ranks == pytest.approx([0, 0, 2, 0, 1, 0, 0], abs=1e-9)
    assert direction_changes(features, changed)[[0, 2, 4]] == pytest.approx([0, 2, 1])
    sixty = direction_changes(np.array([[1.0], [0]]), np.array([[0.5], [np.sqrt(0.75)]]))
    assert sixty == pytest.approx([0.5])


def test_ranks_of_equal_values_are_shared():
    first, second = (np.array([column], np.float32).T for column in ([0, 0, 0, 1, 2], [5, 6, 7, 8, 9]))
    centred = np.array([-1, -1, -1, 1, 2.0]), np.array([-2, -1, 0, 1, 2.0])  # ranks 1, 1, 1, 3, 4 and 0 to 4
    wanted = 1 - centred[0] @ centred[1] / np.sqrt((centred[0] @ centred[0]) * (centred[1] @ centred[1]))
    assert rank_changes(first, second) == pytest.approx([wanted])


def test_a_permutation_is_found_exactly(features):
    order = np.random.default_rng(7).permutation(7)
    found = best_pairs(unit_correlations(features[:, order], features))
    assert np.array_equal(found, order)


@pytest.mark.parametrize("shape", [(1, 1), (4, 4), (3, 6), (6, 3)])
def test_pairs_are_the_best_of_all(shape):
    generator = np.random.default_rng(sum(shape))
    for _ in range(20):
        scores = generator.normal(0, 1, shape)
        found = best_pairs(scores)
        paired = found != NOBODY
        assert len(set(found[paired])) == paired.sum() == min(shape)
        low = scores if shape[0] <= shape[1] else scores.T
        best = max(low[range(len(low)), list(order)].sum() for order in permutations(range(low.shape[1]), len(low)))
        assert scores[paired, found[paired]].sum() == pytest.approx(best)


def test_greedy_pairs_would_be_worse():
    assert best_pairs(np.array([[0.9, 0.8], [0.85, 0.1]])).tolist() == [1, 0]
