"""The `concepts` pictures, which are the same on every machine, their labels, and the shipped weight files."""

from __future__ import annotations

import json
import re
import zlib
from pathlib import Path

import numpy as np
import pytest

from innerwalk.torch_bridge import concepts
from innerwalk.torch_bridge.concepts import ALL_CONCEPTS, CATEGORIES, CONCEPTS, TASKS, batch, sample
from innerwalk.torch_bridge.concepts.make_concepts_sheet import contact_sheet, map_sheet
from innerwalk.torch_bridge.concepts.objects import corners, outline_distance
from innerwalk.torch_bridge.concepts.vocabulary import PAINTS
from innerwalk.torch_bridge.concepts.weight_files import read_metadata
from innerwalk.torch_bridge.recording.errors import RecordingError, UnknownName

CARD = Path(concepts.__file__).parent / "MODEL_CARD.md"
LIMIT = 4_000_000
CHECKED = 120


@pytest.fixture(scope="module")
def pairs() -> list[concepts.Sample]:
    return batch(0, 0, 0, 200)


@pytest.fixture(scope="module")
def objects() -> list[concepts.Sample]:
    return batch(0, 2, 0, CHECKED, task="object")


def checksums(samples):
    return tuple(
        zlib.crc32(np.stack([getattr(item, field) for item in samples]).tobytes()) for field in ("image", "maps")
    )


def test_the_pictures_are_version_1(pairs):
    """Checksums of the first 200 training pictures; another processor's sine may move a rare pixel by a unit."""
    assert concepts.VERSION == "1"
    if checksums(pairs) != (0x46D2F7E5, 0xD1ADAF36):
        mean = np.stack([item.image for item in pairs]).mean((0, 1, 2))
        np.testing.assert_allclose(mean, (147.683794, 122.330895, 110.340953), atol=1e-3)
        indices = np.stack([item.maps for item in pairs]).mean((0, 2, 3))
        np.testing.assert_allclose(indices, (2.837626, 0.632566, 0.180239, 0.459755, 0.564501, 6.047935), atol=1e-3)


@pytest.mark.parametrize("task", TASKS)
def test_any_shard_equals_the_whole(task):
    whole = batch(0, 1, 40, 24, task=task)
    assert checksums(batch(0, 1, 52, 12, task=task)) == checksums(whole[12:])
    again = sample(0, 1, 47, task=task)
    assert (again.image == whole[7].image).all() and (again.maps == whole[7].maps).all()
    assert again.boxes == whole[7].boxes and again.label == whole[7].label


def test_seed_split_and_index_each_change_the_picture():
    pictures = [sample(*key).image.tobytes() for key in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 12))]
    assert len(set(pictures)) == 4


def test_labels_are_balanced_and_name_what_is_there(pairs, objects):
    assert np.ptp(np.bincount([item.label for item in pairs])) <= 1
    for item in pairs:
        scene, thing = item.maps[0].max() - 1, item.boxes[0].concept - 1
        assert TASKS["pair"][item.label] == f"{CONCEPTS['object'][thing]} on {CONCEPTS['scene'][scene]}"
    for item in objects:
        assert CONCEPTS["object"][item.boxes[0].concept - 1] == TASKS["object"][item.label]


def test_neither_scene_nor_object_alone_decides_a_pair():
    scenes = [name.split(" on ")[1] for name in TASKS["pair"]]
    things = [name.split(" on ")[0] for name in TASKS["pair"]]
    assert all(scenes.count(name) == 2 and things.count(things[0]) == 2 for name in scenes)


def test_distractors_never_show_a_class_object(pairs, objects):
    assert all(box.concept in (7, 8) for item in objects for box in item.boxes[1:])
    for item in pairs:
        scene = int(item.maps[0].max()) - 1
        assert not {box.concept - 1 for box in item.boxes[1:]} & {scene, (scene + 1) % 6}


def test_maps_agree_with_each_other(pairs):
    """A pixel belongs to the scene or to an object; what only objects have lies on them; every pixel has a colour."""
    for item in pairs:
        scene, thing, part, material, texture, colour = item.maps
        assert ((scene > 0) ^ (thing > 0)).all() and (colour > 0).all()
        assert ((material > 0) == (thing > 0)).all()
        assert not part[thing == 0].any() and not texture[thing == 0].any()
        assert all(item.maps[k].max() <= len(CONCEPTS[name]) for k, name in enumerate(CATEGORIES))


def test_boxes_are_tight_around_their_object(pairs):
    for item in pairs:
        covered = np.zeros(item.image.shape[:2], bool)
        for concept, x0, y0, x1, y1 in item.boxes:
            inside = item.maps[1, y0:y1, x0:x1] == concept
            assert inside[0].any() and inside[-1].any() and inside[:, 0].any() and inside[:, -1].any()
            covered[y0:y1, x0:x1] = True
        assert covered[item.maps[1] > 0].all()


def test_flat_colours_are_the_paints_that_the_map_names():
    """On flat, plain objects the picture shows the named paint itself, but for the grain of 4."""
    seen = 0
    for item in batch(0, 0, 0, 60):
        _, _, _, material, texture, colour = item.maps
        inner = (material == 1) & (texture == 0)
        inner &= np.roll(inner, 1, 0) & np.roll(inner, -1, 0) & np.roll(inner, 1, 1) & np.roll(inner, -1, 1)
        paints = PAINTS[colour[inner].astype(int) - 1]
        assert (np.abs(item.image[inner] - paints) <= 4.5).all()
        seen += int(inner.sum())
    assert seen > 500


def test_global_indices_name_concepts(pairs):
    item = pairs[3]
    k = item.global_maps()
    for category, row in enumerate(item.maps):
        y, x = np.argwhere(row > 0)[0]
        assert ALL_CONCEPTS[k[category, y, x] - 1] == (
            CATEGORIES[category],
            CONCEPTS[CATEGORIES[category]][row[y, x] - 1],
        )


def test_distances_of_known_points():
    middle, far = np.zeros((1, 1)), np.full((1, 1), 2.0)
    assert outline_distance(0, middle, middle) == pytest.approx(-0.95)
    assert outline_distance(1, middle, middle) == pytest.approx(-0.82)
    assert outline_distance(4, middle, middle) > 0, "a ring is hollow"
    assert all(outline_distance(kind, far, far) > 0 for kind in range(8))
    square_root = outline_distance(1, far, far).item()
    assert square_root == pytest.approx(np.hypot(1.18, 1.18)), "beyond a corner the distance is that to the corner"


def test_corners_of_known_shapes():
    assert len(corners(0)) == len(corners(4)) == 0
    assert [corner.is_tip for corner in corners(1)] == [False] * 4
    assert [corner.is_tip for corner in corners(2)] == [True] * 3
    assert len(corners(3)) == 5 and all(corner.is_tip for corner in corners(3)), "a star's concave corners don't count"
    assert len(corners(5)) == 8


def test_geometry_scales_with_the_picture():
    """Another size shows the same scene: boxes agree within a pixel of the smaller picture."""
    small, large = sample(0, 1, 5, 64), sample(0, 1, 5, 128)
    assert len(small.boxes) == len(large.boxes)
    for a, b in zip(small.boxes, large.boxes, strict=True):
        assert a.concept == b.concept and np.abs(np.array(a[1:]) - np.array(b[1:]) / 2).max() <= 1


def test_sheets_hold_the_pictures(objects):
    sheet = contact_sheet(objects[:5], columns=3)
    assert sheet.shape == (2 * 64 + 2, 3 * 64 + 4, 3)
    assert (sheet[66:, 66:130] == objects[4].image).all()
    assert map_sheet(objects[:2]).shape == (130, 7 * 66 - 2, 3)


def test_shapes_are_one_light_object_in_the_middle_of_a_dark_ground():
    shapes = [concepts.shape_sample(0, 2, index) for index in range(36)]
    for index, item in enumerate(shapes):
        assert item.label == index % 6 and [box.concept for box in item.boxes] == [item.label + 1]
        (box,) = item.boxes
        assert abs(box.y0 + box.y1 - 64) <= 12 and abs(box.x0 + box.x1 - 64) <= 12
        inside = item.maps[1] > 0
        for where, names in ((inside, {"white", "yellow", "orange"}), (~inside, {"black", "blue", "purple"})):
            (paint,) = np.unique(item.maps[5][where]) - 1
            assert CONCEPTS["colour"][paint] in names
            assert (item.image[where] == PAINTS[paint]).all(1).mean() > 0.7  # all but the edge
    assert len({item.image.tobytes() for item in shapes}) == 36
    circle, ring = shapes[0], shapes[4]
    radius = (circle.boxes[0].x1 - circle.boxes[0].x0) / 2
    assert (circle.maps[1] > 0).sum() == pytest.approx(np.pi * radius**2, rel=0.05)
    assert circle.maps[1, 32, 32] == 1 and ring.maps[1, 32, 32] == 0


def test_shipped_files_stay_small_and_say_what_they_are():
    files = sorted(concepts.weights_path("object").parent.iterdir())
    assert {path.suffix for path in files} == {".safetensors"}
    assert sum(path.stat().st_size for path in files) <= LIMIT
    early = concepts.snapshots("object")
    assert [json.loads(read_metadata(path)["epoch"]) for path in early] == [0, 1, 2, 4, 8]
    shares = [json.loads(read_metadata(path)["validation_accuracy"]) for path in early]
    assert shares == sorted(shares)
    for task, names in TASKS.items():
        metadata = read_metadata(concepts.weights_path(task))
        assert metadata["arch"] == "innerwalk.torch_bridge.concepts:network" and json.loads(metadata["arguments"]) == {
            "task": task
        }
        assert json.loads(metadata["classes"]) == list(names) and json.loads(metadata["size"]) == concepts.SIZE


def test_the_card_states_the_measured_accuracies():
    rows = re.finditer(r"\| `(\w+)` \|.*?\| (0\.\d+) \| (0\.\d+) \|", CARD.read_text())
    stated = {match[1]: (match[2], match[3]) for match in rows}
    for task in TASKS:
        measured = read_metadata(concepts.weights_path(task))
        assert stated[task] == tuple(f"{float(measured[name]):.3f}" for name in ("accuracy_float32", "accuracy"))


def test_unknown_tasks_are_refused():
    with pytest.raises(UnknownName, match="object"):
        concepts.weights_path("objects")
    with pytest.raises(UnknownName, match="did you mean pair"):
        sample(0, 0, 0, task="pairs")
    with pytest.raises(RecordingError, match="no such file"):
        read_metadata(Path("nowhere.safetensors"))
