"""Counts of masks and labels equal a plain loop over enlarged maps, and merge."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs torch")

import torch
from torch.nn import functional as F

from innerwalk.torch_bridge.dissection.tally import FIELDS, UnitCounts, count_pixels
from innerwalk.torch_bridge.statistics import ChannelHistogram
from innerwalk.torch_bridge.statistics.histogram import FINE

CATEGORY_OF = torch.tensor([0, *(k % 5 + 1 for k in range(299))])


def plain_loop(maps, labels, whole, thresholds) -> dict[str, np.ndarray]:
    """Picture by picture and unit by unit, as the authors' code does it."""
    count, units = maps.shape[:2]
    size, label_count = labels.shape[2:], len(CATEGORY_OF)
    found = {
        "label_pixels": np.zeros(label_count, int),
        "unit_pixels": np.zeros(units, int),
        "both": np.zeros((units, label_count), int),
        "category_pixels": np.zeros((units, 5), int),
    }
    for n in range(count):
        planes = [plane.numpy() for plane in labels[n]] + [np.full(size, int(k)) for k in whole[n]]
        for plane in planes:
            found["label_pixels"] += np.bincount(plane.ravel(), minlength=label_count)
        for unit in range(units):
            large = F.interpolate(maps[None, None, n, unit], size=size, mode="bilinear", align_corners=False)[0, 0]
            inside = (large > thresholds[unit]).numpy()
            hits = sum(np.bincount(plane[inside], minlength=label_count) for plane in planes)
            hits[0] = 0
            met = {int(CATEGORY_OF[label]) for label in np.flatnonzero(hits)}
            met |= {int(CATEGORY_OF[int(label)]) for label in whole[n]}
            found["unit_pixels"][unit] += inside.sum()
            found["both"][unit] += hits
            for category in met - {0}:
                found["category_pixels"][unit, category - 1] += inside.sum()
    found["label_pixels"][0] = 0
    return found


def example(maps: tuple[int, int], labels: tuple[int, int], units: int, count: int):
    generator = torch.Generator().manual_seed(maps[0])
    values = torch.randn(count, units, *maps, generator=generator).relu()
    thresholds = torch.quantile(values.transpose(0, 1).reshape(units, -1), 0.98, dim=1)
    coarse = torch.randint(0, 250, (count, 3, 12, 12), generator=generator)
    rows, columns = (torch.arange(size) * 12 // size for size in labels)
    whole = torch.randint(250, 300, (count, 1), generator=generator)
    return values, coarse[:, :, rows][..., columns], whole, thresholds


@pytest.mark.parametrize(
    ("maps", "labels"), [((7, 7), (112, 112)), ((5, 9), (64, 83)), ((16, 16), (16, 16)), ((1, 1), (8, 8))]
)
def test_counts_are_those_of_a_plain_loop(maps, labels):
    given = example(maps, labels, 9, 5)
    found, wanted = count_pixels(*given, CATEGORY_OF), plain_loop(*given)
    for name in FIELDS:
        assert np.array_equal(getattr(found, name), wanted[name]), name
    assert (found.pixels, found.pictures) == (5 * labels[0] * labels[1], 5)
    assert found.both.sum() > 0


def test_counts_of_parts_merge_to_those_of_all():
    values, labels, whole, thresholds = example((6, 6), (30, 30), 7, 6)
    merged = UnitCounts.zero(7, 300, 5)
    for part in (slice(4, 6), slice(0, 1), slice(1, 4)):
        merged = merged.merged(count_pixels(values[part], labels[part], whole[part], thresholds, CATEGORY_OF))
    all_of_them = count_pixels(values, labels, whole, thresholds, CATEGORY_OF)
    assert all(np.array_equal(getattr(merged, name), getattr(all_of_them, name)) for name in FIELDS)


@pytest.mark.parametrize("share", [0.005, 0.05, 0.5])
def test_thresholds_are_quantiles(share):
    values = np.random.default_rng(3).gamma(1.5, 2.0, (4, 20_000)).astype(np.float32)
    values[3] = np.maximum(values[3] - 6, 0)  # mostly silent
    found = (
        ChannelHistogram.of(values[:, :7000], FINE)
        .merged(ChannelHistogram.of(values[:, 7000:], FINE))
        .quantile(1 - share)
    )
    wanted = np.quantile(values, 1 - share, axis=1)
    assert found == pytest.approx(wanted, rel=0.01, abs=1e-6)


def test_a_silent_unit_has_threshold_0_and_no_mask():
    assert ChannelHistogram.of(np.zeros((1, 50), np.float32), FINE).quantile(0.995).tolist() == [0.0]
    odd = np.array([[np.nan, -1.0, np.inf, 1e30]], np.float32)
    assert np.isfinite(ChannelHistogram.of(odd, FINE).quantile(0.995)).all()
