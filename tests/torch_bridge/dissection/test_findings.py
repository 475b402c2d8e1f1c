"""Reports recompute the authors' published tables exactly, and planted detectors get their label."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs torch")

from innerwalk.torch_bridge.data.labelled import Concept
from innerwalk.torch_bridge.dissection.findings import count_detectors, find_concepts, unique_concepts
from innerwalk.torch_bridge.dissection.pair_counts import PairCounts
from innerwalk.torch_bridge.dissection.tables import read_table, write_table
from innerwalk.torch_bridge.dissection.tally import UnitCounts
from innerwalk.torch_bridge.recording.errors import InputError

PUBLISHED = Path(os.environ.get("INNERWALK_DATA", "")) / "netdissect_published"
TABLES = {
    "caffe_reference_imagenet": (97, 50), "caffe_reference_places205": (107, 60),
    "caffe_reference_places365": (118, 72), "ResNet-152-model_imagenet": (1325, 197),
    "ResNet-152-model_places365": (1452, 278),
}  # fmt: skip
"""Detectors and unique concepts by table."""


@pytest.mark.skipif(not os.environ.get("INNERWALK_DATA"), reason="published tables: INNERWALK_DATA names none")
@pytest.mark.parametrize("name", TABLES)
def test_published_tables_are_recomputed(name):
    path = PUBLISHED / f"{name}.csv"
    findings = read_table(path)
    with path.open() as file:
        rows = {int(row["unit"]): row for row in csv.DictReader(file)}
    assert len(findings) == len(rows)
    for finding in findings:
        row = rows[finding.unit]
        assert (finding.category, finding.best.concept) == (row["category"], row["label"])
        for category, match in finding.matches.items():
            assert match.iou == pytest.approx(float(row[f"{category}-iou"]), abs=1e-9)
    unique = unique_concepts(findings)
    assert (sum(count_detectors(findings).values()), sum(map(len, unique.values()))) == TABLES[name]
    if name == "caffe_reference_places365":
        counts = {category: len(found) for category, found in unique.items()}
        assert counts == {"object": 32, "scene": 6, "part": 6, "material": 2, "texture": 25, "color": 1}


CONCEPTS = (Concept("cat", "object"), Concept("dog", "object"), Concept("red", "colour"))


def counts() -> UnitCounts:
    """Unit 0 is the cat exactly, unit 1 half the dog, unit 2 never fires."""
    both = np.array([[0, 100, 0, 30], [0, 0, 40, 10], [0, 0, 0, 0]])
    areas = np.array([[100, 60], [40, 20], [0, 0]])
    pairs = PairCounts.of(both, np.arange(4), 4)
    return UnitCounts(np.array([0, 100, 80, 500]), np.array([100, 40, 0]), pairs, areas, 10_000, 3)


def test_labels_ceilings_and_chance():
    found = find_concepts(counts(), CONCEPTS)
    assert [finding.best.concept for finding in found[:2]] == ["cat", "dog"]
    assert [finding.best.iou for finding in found] == [1.0, 0.5, 0.0]
    assert found[1].matches["colour"].iou == pytest.approx(10 / (20 + 500 - 10))
    assert find_concepts(counts(), CONCEPTS, "plain")[1].matches["colour"].iou == pytest.approx(10 / (40 + 500 - 10))
    dog = found[1].best
    assert dog.ceiling == pytest.approx(0.5) and dog.chance == pytest.approx(0.004 * 0.008 / (0.012 - 0.004 * 0.008))
    assert unique_concepts(found) == {"object": ["cat", "dog"], "colour": []}
    assert count_detectors(found, 0.6) == {"object": 1, "colour": 0}


def test_a_written_table_is_read_again(tmp_path):
    path = tmp_path / "layer.csv"
    path.write_text(write_table(find_concepts(counts(), CONCEPTS)))
    again = read_table(path)
    assert [finding.unit for finding in again] == [0, 1, 2]
    assert again[1].best.concept == "dog" and again[1].best.iou == 0.5
    assert path.read_text().splitlines()[0].startswith("unit,category,label,score,object-label,object-truth,")


@pytest.mark.parametrize(
    "text", ["", "unit,category\n1,2\n", "unit,a-label,a-truth,a-activation,a-intersect,a-iou\nx,y,1,1,1,1\n", "\0"]
)
def test_another_file_is_one_line(tmp_path, text):
    path = tmp_path / "wrong.csv"
    path.write_text(text)
    with pytest.raises(InputError, match="not a table of units"):
        read_table(path)
