"""Counts of masks and labels equal a plain loop over enlarged maps, and merge."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs torch")

import torch
from torch.nn import functional as F

from innerwalk.torch_bridge.dissection.pair_counts import PairCounts
from innerwalk.torch_bridge.dissection.tally import FIELDS, LabelPlanes, UnitCounts, count_pixels

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


def counted(maps, labels, whole, thresholds) -> UnitCounts:
    return count_pixels(maps, LabelPlanes.of(labels, whole, CATEGORY_OF), thresholds)


@pytest.mark.parametrize(
    ("maps", "labels"), [((7, 7), (112, 112)), ((5, 9), (64, 83)), ((16, 16), (16, 16)), ((1, 1), (8, 8))]
)
def test_counts_are_those_of_a_plain_loop(maps, labels):
    given = example(maps, labels, 9, 5)
    found, wanted = counted(*given), plain_loop(*given)
    for name in FIELDS:
        assert np.array_equal(getattr(found, name), wanted[name]), name
    assert np.array_equal(found.both.rows(0, 9), wanted["both"]) and wanted["both"].sum() > 0
    assert (found.pixels, found.pictures) == (5 * labels[0] * labels[1], 5)


def test_units_below_their_thresholds_have_no_pixels():
    values, labels, whole, thresholds = example((6, 6), (30, 30), 7, 2)
    found = counted(values, labels, whole, thresholds + 100)
    assert found.unit_pixels.sum() == 0 and len(found.both.entries()[0]) == 0 and found.label_pixels.sum() > 0


def test_counts_of_parts_merge_to_those_of_all():
    values, labels, whole, thresholds = example((6, 6), (30, 30), 7, 6)
    merged = UnitCounts.zero(7, 300, 5)
    for part in (slice(4, 6), slice(0, 1), slice(1, 4)):
        merged.add(counted(values[part], labels[part], whole[part], thresholds))
    all_of_them = counted(values, labels, whole, thresholds)
    assert all(np.array_equal(getattr(merged, name), getattr(all_of_them, name)) for name in FIELDS)
    assert all(map(np.array_equal, merged.both.entries(), all_of_them.both.entries()))


def test_many_concepts_take_no_memory_until_they_are_met():
    """A table of 2,048 units and 20,001 labels would hold 330 MB."""
    units, labels = 2048, 20_001
    category_of = torch.arange(labels) % 6
    category_of[0] = 0
    generator = torch.Generator().manual_seed(1)
    sums, dense = UnitCounts.zero(units, labels, 5), np.zeros((units, labels), np.int32)
    for _ in range(3):
        maps = torch.rand(1, units, 4, 4, generator=generator)
        planes = (
            torch.randint(0, labels, (1, 1, 2, 2), generator=generator).repeat_interleave(4, 2).repeat_interleave(4, 3)
        )
        thresholds = torch.full((units,), 0.95)
        sums.add(count_pixels(maps, LabelPlanes.of(planes, torch.zeros(1, 0).long(), category_of), thresholds))
        inside = F.interpolate(maps, size=(8, 8), mode="bilinear", align_corners=False)[0] > 0.95
        for unit, y, x in inside.nonzero().tolist():
            dense[unit, planes[0, 0, y, x]] += 1
    keys, counts = sums.both.entries()
    assert len(keys) == np.count_nonzero(dense) < 100_000 and counts.sum() == dense.sum() > 1000
    assert np.array_equal(sums.both.rows(100, 300), dense[100:300])


@pytest.mark.parametrize("keys", [[3, 3], [2, 1], [-1, 2], [1, 12]])
def test_keys_out_of_order_or_out_of_the_table_are_refused(keys):
    with pytest.raises(ValueError, match="keys"):
        PairCounts((3, 4), np.array(keys), np.ones(2))
