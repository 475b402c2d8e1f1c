"""Inputs and outputs of a network in a recording: kept, missing in older ones, and from untrusted files."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from innerwalk.torch_bridge import recording as rec
from innerwalk.torch_bridge.recording.errors import RecordingError

PIXELS = np.random.default_rng(0).integers(0, 255, (2, 4, 5, 3)).astype(np.uint8)
WORDS = ("a", "small", "cat")
VALUES = np.array([[0, 1, 0.5], [1, 7, np.nan], [2, 3, np.inf]], np.float32)


def two_of_each(folder: Path) -> rec.Recording:
    """A recording of a network that takes an image and tokens, and returns masks and tokens; written to `folder`."""
    layers = [rec.Layer(id, "input", "input", (3,), (3, 1, 1)) for id in ("input", "input@2")]
    layers += [rec.Layer(id, "Linear", "panel", (3,), (3, 1, 1), id) for id in ("a", "b")]
    layers += [rec.Layer("relu", "ReLU", "edge", (3,), (3, 1, 1))]
    layers += [rec.Layer(id, "output", "output", (3,), (3, 1, 1)) for id in ("output", "output@2")]
    pairs = (
        ("input", "a"), ("input@2", "b"), ("a", "b"), ("b", "relu"), ("a", "output"), ("relu", "output@2"),
        ("input@2", "output@2"),
    )  # fmt: skip
    network = rec.Network("two", tuple(layers), tuple(rec.Edge(*pair) for pair in pairs))
    made = rec.Recording(
        network, "cat.png", PIXELS[0], rec.Prediction(), {},
        inputs=(
            rec.Endpoint("input", "image", "picture", (1, 3, 4, 5), "float32", "cat.png", pixels=PIXELS[:1]),
            rec.Endpoint("input@2", "ids", "tokens", (1, 3), "int64", labels=WORDS, values=VALUES),
        ),
        outputs=(
            rec.Endpoint("output", "heads.masks", "mask", (1, 2, 4, 5), over="input", pixels=PIXELS),
            rec.Endpoint("output@2", "[1]", "tokens", (1, 3), note="best of 9", labels=WORDS, values=VALUES),
        ),
    )  # fmt: skip
    made.save(folder)
    return made


def plain(endpoint: rec.Endpoint) -> dict[str, Any]:
    """An endpoint as values that can be compared, NaN included."""
    return asdict(endpoint) | {
        name: None if (array := getattr(endpoint, name)) is None else (str(array.tolist()), str(array.dtype))
        for name in ("values", "pixels")
    }


def test_round_trip_keeps_every_bit_and_no_picture_twice(tmp_path: Path) -> None:
    made = two_of_each(tmp_path)
    back = rec.load(tmp_path)
    assert list(map(plain, back.inputs)) == list(map(plain, made.inputs))
    assert list(map(plain, back.outputs)) == list(map(plain, made.outputs))
    assert set(rec.pictures(made)) == {"input", "output|pixels"}  # the first input's are the recording's picture


def test_flow_from_inputs_and_to_outputs(tmp_path: Path) -> None:
    network = two_of_each(tmp_path).network
    shown, links = network.folded(rec.BOARD_ROLES)
    named = sorted((shown[source].id, shown[target].id) for source, target in links)
    assert named == [
        ("a", "b"), ("a", "output"), ("b", "output@2"), ("input", "a"), ("input@2", "b"), ("input@2", "output@2"),
    ]  # fmt: skip
    assert [layer.id for layer in network.folded()[0]] == ["a", "b"]


@pytest.mark.parametrize("schema", [1, 2])
def test_recordings_without_them_open(tmp_path: Path, schema: int) -> None:
    two_of_each(tmp_path)
    document = json.loads((tmp_path / "recording.json").read_text())
    for name in ("inputs", "outputs"):
        del document[name]
    (tmp_path / "recording.json").write_text(json.dumps(document | {"schema": schema}))
    assert (rec.load(tmp_path).inputs, rec.load(tmp_path).outputs) == ((), ())


def test_a_newer_schema_is_refused_in_one_line(tmp_path: Path) -> None:
    two_of_each(tmp_path)
    document = json.loads((tmp_path / "recording.json").read_text())
    assert document["schema"] == 2
    (tmp_path / "recording.json").write_text(json.dumps(document | {"schema": 3, "inputs": "of a later kind"}))
    with pytest.raises(RecordingError, match="schema 3 is newer than 2, the newest read here; update innerwalk"):
        rec.load(tmp_path)


HOSTILE: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "no list": (lambda d: d.update(inputs={}), "inputs must be a list"),
    "too many": (lambda d: d.update(inputs=d["inputs"] * 40), "list of at most 64"),
    "no object": (lambda d: d["inputs"].append(3), r"inputs\[2\]: expected an object"),
    "twice": (lambda d: d["inputs"].append(d["inputs"][0]), "layer of its own"),
    "unknown layer": (lambda d: d["inputs"][0].update(layer="x"), "'x' must be a layer of role input"),
    "wrong role": (lambda d: d["outputs"][0].update(layer="a"), "'a' must be a layer of role output"),
    "no layer": (lambda d: d["outputs"][0].update(layer=""), "'' must be a layer of role output"),
    "over an output": (lambda d: d["outputs"][0].update(over="output"), "'output' must be a layer of role input"),
    "unknown kind": (lambda d: d["inputs"][0].update(kind="smell"), "kind must be one of"),
    "kind of outputs": (lambda d: d["inputs"][0].update(kind="boxes"), "kind must be one of"),
    "axis": (lambda d: d["inputs"][0].update(axis=3), "axis: must be a whole number from 0 to 2"),
    "labels": (lambda d: d["inputs"][1].update(labels=["a"]), "1 labels must be one for each row"),
    "label": (lambda d: d["inputs"][1].update(labels=["a", 3, "b"]), r"labels\[1\]: must be a string"),
    "ragged": (lambda d: d["inputs"][1].update(values=[[1, 2, 3], [1, 2], [1, 2, 3]]), "rows of 3 numbers"),
    "columns": (lambda d: d["inputs"][1].update(values=[[1, 2]] * 3), "rows of 3 numbers, at most 4096"),
    "text": (lambda d: d["inputs"][1].update(values=[["1", 2, 3]] * 3), "must be a number"),
    "huge": (lambda d: d["inputs"][1].update(values=[[1, 2, 3]] * 2000, labels=[]), "at most 4096 in all"),
    "no pixels": (lambda d: d["outputs"][0].update(pixels="gone"), "pixels of 'output' are missing"),
    "shape": (lambda d: d["inputs"][0].update(shape=[-1]), "whole number"),
    "name": (lambda d: d["inputs"][0].update(name=["x"]), "name: must be a string"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_damage_is_one_line(tmp_path: Path, case: str) -> None:
    two_of_each(tmp_path)
    document = json.loads((tmp_path / "recording.json").read_text())
    damage, line = HOSTILE[case]
    damage(document)
    (tmp_path / "recording.json").write_text(json.dumps(document))
    with pytest.raises(RecordingError, match=line) as found:
        rec.load(tmp_path)
    assert len(str(found.value).splitlines()) == 1


@pytest.mark.parametrize("pixels", [PIXELS[..., :1], PIXELS.astype(np.float32), PIXELS[:0], PIXELS[None]])
def test_pixels_of_another_form_are_refused(tmp_path: Path, pixels: np.ndarray) -> None:
    made = two_of_each(tmp_path)
    damaged = replace(made, outputs=(replace(made.outputs[0], pixels=pixels),))
    with pytest.raises(RecordingError, match=r"must be \(H, W, 3\) or \(n, H, W, 3\) uint8"):
        rec.load(damaged.save(tmp_path))


def test_more_pictures_than_a_board_has_room_for_are_refused(tmp_path: Path) -> None:
    made = two_of_each(tmp_path)
    many = replace(made.outputs[0], pixels=np.zeros((1025, 1, 1, 3), np.uint8))
    with pytest.raises(RecordingError, match="1,025 pictures; at most 1,024"):
        rec.load(replace(made, outputs=(many,)).save(tmp_path))
