"""Saving and loading recordings, after crashes and from untrusted files."""

import dataclasses
import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from innerwalk.torch_bridge import load
from innerwalk.torch_bridge import recording as rec
from innerwalk.torch_bridge.recording import safetensors, storage
from innerwalk.torch_bridge.recording.errors import InnerwalkError, RecordingError, UnknownName


def small(seed: int = 0) -> rec.Recording:
    """Two convolutions, a sum and a vector, five channels."""
    shape = (5, 3, 4)
    layers = (
        rec.Layer("input", "input", "input", (3, 6, 8), (3, 6, 8)),
        rec.Layer("a", "Conv2d", "panel", shape, shape, "bn", 12),
        rec.Layer("bn", "BatchNorm2d", "edge", shape, shape),
        rec.Layer("relu", "ReLU", "edge", shape, shape),
        rec.Layer("b", "Conv2d", "panel", shape, shape, "b"),
        rec.Layer(":add", "add", "panel", shape, shape, ":add"),
        rec.Layer("fc", "Linear", "panel", (7,), (7, 1, 1), "fc", note="ends here"),
    )
    pairs = [
        ("input", "a"),
        ("a", "bn"),
        ("bn", "relu"),
        ("relu", "b"),
        ("b", ":add"),
        ("relu", ":add"),
        (":add", "fc"),
    ]
    network = rec.Network("small", layers, tuple(rec.Edge(*pair) for pair in pairs), True, "by hand", 99)
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 255, (6, 8, 3)).astype(np.uint8)
    recording = rec.Recording(
        network, "noise", picture, rec.Prediction("classes", ((3, "cat", 0.9),)), {}, {"seed": seed}
    )
    recording.add(
        rec.Maps(layer.id, rec.ACTIVATIONS, rec.pack(rng.normal(size=layer.map_shape)), layer.map_shape[0])
        for layer in layers[1:]
    )
    return recording


def test_recordings_and_maps_describe_themselves_in_a_line() -> None:
    recording = small()
    maps = dataclasses.replace(recording.maps("a"), method="saliency", note="score of cat")
    recording.add([maps])
    made = rec.Maps("fc", "maximisation", np.zeros((2, 8, 9, 4), np.float32), 2, colour=True)
    assert repr(maps) == "<Maps: saliency of a, 5 × 3 × 4; score of cat>"
    assert repr(made) == "<Maps: maximisation of fc, 2 × 8 × 9 × 3>"
    described = "<Recording of small: 7 layers; input noise, cat 90%; maps: activations of 6, saliency of 1>"
    assert repr(recording) == described
    empty = rec.Recording(recording.network, "noise", recording.picture, rec.Prediction())
    assert repr(empty) == "<Recording of small: 7 layers; input noise; maps: none>"


def test_numbers_of_channels_and_notes_are_kept(tmp_path: Path) -> None:
    recording = small()
    first = recording.maps("a")
    extras = {"boxes": np.float32([[4, 0, 0, 1, 1, 0.5]]), "weights:b": np.float32([[1, 3, -1]])}
    some = rec.Maps("a", "saliency", first.texels[:1], 2, extras=extras, channel_numbers=(4, 1), note="zero everywhere")
    recording.add([some])
    loaded = rec.load(recording.save(tmp_path)).maps("a", "saliency")
    assert (loaded.channel_numbers, loaded.note) == ((4, 1), "zero everywhere")
    assert all(np.array_equal(loaded.extras[name], extras[name]) for name in extras)
    recording.add([dataclasses.replace(some, extras={"boxes": np.float32([[2, 0, 0, 1, 1, 0.5]])})])
    with pytest.raises(RecordingError, match="boxes must be finite, and about channels 4,1"):
        rec.load(recording.save(tmp_path))


def test_maps_of_some_channels_are_taken_out_of_all() -> None:
    data = np.arange(5 * 2 * 3, dtype=np.float32).reshape(5, 2, 3)
    extras = {
        "values": np.arange(5), "curve": np.arange(10).reshape(5, 2), "samples": np.array([1, 2]),
        "boxes": np.array([[1, 0, 0, 1, 1, 0.5], [2, 0, 0, 1, 1, 0.5]]),
        "weights:b": np.array([[3, 0, 1.0], [4, 0, 1.0]]),
    }  # fmt: skip
    maps = rec.Maps("a", "saliency", rec.pack(data), 5, labels=tuple("abcde"), extras=extras)
    some = maps.only((4, 1))
    assert some.channel_numbers == some.numbers == (4, 1) and some.labels == ("e", "b")
    assert np.array_equal(some.data, data[[4, 1]]) and some.extras["values"].tolist() == [4, 1]
    assert some.extras["curve"].tolist() == [[8, 9], [2, 3]] and some.extras["samples"].tolist() == [1, 2]
    assert some.extras["boxes"][:, 0].tolist() == [1] and some.extras["weights:b"][:, 0].tolist() == [4]
    assert maps.only(()) is maps and np.array_equal(some.only((1,)).data, data[[1]])
    assert np.array_equal(rec.channel_picture(some, 1), rec.channel_picture(maps, 1))
    with pytest.raises(UnknownName, match="no shown channel of a '2'; there are 4, 1"):
        some.index(2)
    with pytest.raises(UnknownName, match="no channel of a '5'"):
        maps.index(5)
    whole = rec.Maps("a", "inversion", rec.pack(data[:1]), 1)
    assert whole.index(77) == 0


def test_positions_are_kept_and_schema_1_has_none(tmp_path: Path) -> None:
    recording = small()
    first = recording.maps("a")
    recording.add([rec.Maps("a", rec.ACTIVATIONS, first.texels, 5, position=3, positions=16, axis="frame")])
    folder = rec.save(recording, tmp_path / "r")
    assert rec.load(folder).maps("a").place == "frame 3 of 16" and rec.load(folder).maps("b").place == ""
    document = json.loads((folder / "recording.json").read_text())
    assert document["schema"] == 2
    for entry in document["maps"]:
        for name in ("position", "positions", "axis", "channel_numbers", "note"):
            del entry[name]
    (folder / "recording.json").write_text(json.dumps(document | {"schema": 1}))
    old = rec.load(folder).maps("a")
    assert (old.position, old.positions, old.axis, old.place) == (0, 1, "", "")


def test_round_trip_keeps_every_bit(tmp_path: Path) -> None:
    recording = small()
    back = rec.load(rec.save(recording, tmp_path / "r"))
    assert (
        back.network == recording.network
        and back.prediction == recording.prediction
        and back.provenance == recording.provenance
    )
    assert np.array_equal(back.picture, recording.picture)
    for key, maps in recording.all_maps.items():
        assert np.array_equal(back.all_maps[key].data, maps.data) and np.array_equal(back.all_maps[key].peak, maps.peak)
    assert not back.maps("a").texels.flags.writeable


def test_safetensors_library_reads_it(tmp_path: Path) -> None:
    load_file = pytest.importorskip("safetensors.numpy").load_file
    recording = small()
    file = next(rec.save(recording, tmp_path).glob("activations-*.safetensors"))
    assert np.array_equal(load_file(file)["fc"], recording.maps("fc").texels)


def test_same_recording_same_files_and_stale_ones_go(tmp_path: Path) -> None:
    rec.save(small(0), tmp_path)
    first = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    rec.save(small(0), tmp_path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == first
    (tmp_path / "mine.txt").write_text("kept")
    rec.save(small(1), tmp_path)
    assert len(list(tmp_path.iterdir())) == 4 and (tmp_path / "mine.txt").exists()


def test_fold_contracts_edges() -> None:
    shown, links = small().network.folded()
    assert [layer.id for layer in shown] == ["a", "b", ":add", "fc"]
    assert sorted(links) == [(0, 1), (0, 2), (1, 2), (2, 3)]


@pytest.mark.parametrize(
    "shape", [(40, 40), (112, 112), (41, 37), (55, 55), (14, 14), (7, 7), (1, 1), (1, 200), (199, 1)]
)
def test_peak_is_the_quantile_of_sizes(shape: tuple[int, int]) -> None:
    data = np.random.default_rng(1).normal(size=(6, *shape)).astype(np.float32)
    data[4], data[5] = np.sort(data[4], axis=None).reshape(shape), 0.5  # neighbours alike; all equal
    count = data[0].size
    ordered = np.sort(np.abs(data).reshape(6, -1), axis=1)
    assert np.array_equal(rec.peaks(rec.pack(data))[:6], ordered[:, count - 1 - int(0.005 * count)])


def test_peak_leaves_out_what_is_no_number() -> None:
    data = np.random.default_rng(1).normal(size=(4, 40, 40)).astype(np.float32)
    data[0, :3, 0] = np.nan, np.inf, -np.inf
    data[1, 5, 5], data[2] = 3e38, np.nan
    ordered = np.sort(np.abs(np.where(np.isfinite(data), data, 0)).reshape(4, -1), axis=1)
    assert np.array_equal(rec.peaks(rec.pack(data)), ordered[:, 1600 - 1 - 8])


def test_unknown_layer_lists_near_matches() -> None:
    with pytest.raises(UnknownName, match="did you mean relu"):
        small().maps("relv")
    with pytest.raises(UnknownName, match="recorded deconvnet"):
        small().maps("relu", "deconvnet")


@pytest.mark.parametrize("stop_after", range(3))
def test_crash_leaves_the_old_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_after: int) -> None:
    rec.save(small(0), tmp_path)
    before = {path.name for path in tmp_path.iterdir()}
    calls, replace = [], os.replace

    def dying(source: str, target: str) -> None:
        if len(calls) == stop_after:
            raise KeyboardInterrupt
        calls.append(target)
        replace(source, target)

    monkeypatch.setattr(os, "replace", dying)
    with pytest.raises(KeyboardInterrupt):
        rec.save(small(1), tmp_path)
    assert np.array_equal(rec.load(tmp_path).maps("a").data, small(0).maps("a").data)
    assert not list(tmp_path.glob(".part-*"))
    assert {path.name for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    "content", ["mine", "{}", '{"format": "other"}', '{"format": "innerwalk-recording", "schema": 99}']
)
def test_a_document_that_is_no_recording_stays(tmp_path: Path, content: str) -> None:
    (document := tmp_path / "recording.json").write_text(content)
    with pytest.raises(RecordingError, match="choose another folder, or --overwrite"):
        small().save(tmp_path)
    assert document.read_text() == content and len(list(tmp_path.iterdir())) == 1
    small().save(tmp_path, overwrite=True)
    assert rec.load(tmp_path).network.name == small().network.name


def test_a_protected_recording_stays(tmp_path: Path) -> None:
    small(0).save(tmp_path)
    (document := tmp_path / "recording.json").chmod(0o444)
    before = document.read_bytes()
    with pytest.raises(RecordingError, match="it is read-only; choose another folder, or --overwrite"):
        small(1).save(tmp_path)
    assert document.read_bytes() == before
    small(1).save(tmp_path, overwrite=True)
    assert np.array_equal(rec.load(tmp_path).maps("a").data, small(1).maps("a").data)


def test_a_folder_without_a_name_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RecordingError, match="has no name"):
        small().save("")
    assert not list(tmp_path.iterdir())


def test_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RecordingError, match="No space left on device"):
        rec.save(small(), tmp_path / "new")
    assert not list(tmp_path.iterdir())


def test_a_recording_saves_itself_and_the_bridge_package_loads_it(tmp_path: Path) -> None:
    first, second = small(3).save(str(tmp_path / "own")), rec.save(small(3), tmp_path / "by_function")
    assert first == tmp_path / "own"
    assert {path.name: path.read_bytes() for path in first.iterdir()} == {
        path.name: path.read_bytes() for path in second.iterdir()
    }
    assert np.array_equal(load(first).maps("a").data, small(3).maps("a").data)


def test_a_file_is_no_recording(tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(b"picture")
    with pytest.raises(RecordingError, match="cat.png: no recording here"):
        rec.load(tmp_path / "cat.png")


def edited(folder: Path, change) -> Path:
    document = json.loads((folder / storage.DOCUMENT).read_text())
    change(document)
    (folder / storage.DOCUMENT).write_text(json.dumps(document))
    return folder


HOSTILE = {
    "newer schema": (lambda d: d.update(schema=3), "newer"),
    "other format": (lambda d: d.update(format="zip"), "not a recording"),
    "path out of the folder": (lambda d: d["maps"][0].update(file="../../etc/passwd"), "bad data file name"),
    "unknown layer": (lambda d: d["maps"][0].update(layer="zzz"), "no layer 'zzz'"),
    "channel numbers": (lambda d: d["maps"][0].update(channel_numbers=[0, 1]), "must be 5 different numbers"),
    "channel number": (lambda d: d["maps"][0].update(channel_numbers=[0, 1, 2, 3, 5]), "has no channel 5"),
    "position": (lambda d: d["maps"][0].update(position=4, positions=4), "position 4 must be less than the 4"),
    "labels": (lambda d: d["maps"][0].update(labels=["x"]), "1 labels for 5 channels"),
    "channels": (lambda d: d["maps"][0].update(channels=9), "cells don't hold"),
    "huge": (lambda d: d["network"]["layers"][0].update(map_shape=[1, 1 << 40, 1]), "within bounds"),
    "backward edge": (lambda d: d["network"]["edges"].append([3, 1]), "run forward"),
    "same id": (lambda d: d["network"]["layers"][1].update(id="b"), "unique"),
    "role": (lambda d: d["network"]["layers"][1].update(role="boss"), "role must be one of"),
    "shows": (lambda d: d["network"]["layers"][1].update(shows="ghost"), "which isn't there"),
    "probability": (lambda d: d["prediction"].update(top=[[1, "x", float("nan")]]), "finite"),
    "type": (lambda d: d.update(network=[]), "expected an object"),
    "method": (lambda d: d["maps"][0].update(method="../x"), "small letters"),
    "half a character": (lambda d: d["network"].update(name="\ud800"), "lone surrogates"),
    "half a class name": (lambda d: d["prediction"].update(top=[[1, "\udcff", 0.5]]), "lone surrogates"),
    "extra missing": (lambda d: d["maps"][0].update(extras=["ghost"]), "missing"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_documents_are_refused(tmp_path: Path, name: str) -> None:
    change, message = HOSTILE[name]
    with pytest.raises(RecordingError, match=message):
        rec.load(edited(rec.save(small(), tmp_path), change))


EXTRAS = {
    "peak": (np.zeros(4, np.float32), r"peak must be \(5\) float32"),
    "values": (np.zeros((5, 1), np.float32), r"values must be \(5\) float32"),
    "flags": (np.zeros(5, np.float32), r"flags must be \(5\) int32"),
    "curve": (np.zeros(5, np.float32), r"curve must be \(5, n\) float32"),
    "samples": (np.zeros(3, np.int32), r"samples must be \(2\) int32"),
    "boxes": (np.zeros((2, 5), np.float32), r"boxes must be \(n, 6\) float32"),
    "weights:b": (np.zeros(3, np.float32), r"weights:b must be \(n, 3\) float32"),
    "weights:fc": (np.float32([[5, 0, 1]]), "weights:fc must be finite, and about channels 0-4"),
    "weights:relu": (np.float32([[0, np.nan, 1]]), "weights:relu must be finite"),
}


@pytest.mark.parametrize("name", EXTRAS)
def test_extras_of_another_shape_or_kind_are_refused(tmp_path: Path, name: str) -> None:
    array, message = EXTRAS[name]
    recording = small()
    first = recording.maps("a")
    recording.add([rec.Maps("a", "odd", first.texels, 5, extras={name: array})])
    with pytest.raises(RecordingError, match=message):
        rec.load(rec.save(recording, tmp_path))


def test_extras_as_documented_are_read(tmp_path: Path) -> None:
    extras = {
        "peak": np.ones(5, np.float32),
        "values": np.ones(5, np.float32),
        "flags": np.ones(5, np.int32),
        "curve": np.ones((5, 7), np.float32),
        "samples": np.int32([2, 3]),
        "boxes": np.zeros((0, 6), np.float32),
        "weights:fc": np.float32([[4, 6, -1.5]]),
        "nearest": np.ones(5, np.float32),
    }
    recording = small()
    recording.add([rec.Maps("a", "odd", recording.maps("a").texels, 5, extras=extras)])
    found = rec.load(rec.save(recording, tmp_path)).maps("a", "odd").extras
    assert found.keys() == extras.keys() and all(np.array_equal(found[name], extras[name]) for name in extras)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "null", '{"format": 1}'])
def test_damaged_documents_are_one_line(tmp_path: Path, text: str) -> None:
    rec.save(small(), tmp_path)
    (tmp_path / storage.DOCUMENT).write_text(text)
    with pytest.raises(RecordingError) as caught:
        rec.load(tmp_path)
    assert "\n" not in str(caught.value)


def test_missing_and_truncated(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="no recording here"):
        rec.load(tmp_path / "nowhere")
    file = next(rec.save(small(), tmp_path).glob("activations-*"))
    whole = file.read_bytes()
    for length in (0, 7, 100, len(whole) - 1):
        file.write_bytes(whole[:length])
        with pytest.raises(RecordingError):
            rec.load(tmp_path)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_fuzzed_bytes_never_escape(tmp_path: Path, data: st.DataObject) -> None:
    """Any byte changed anywhere gives a recording or an error of ours."""
    if not (tmp_path / "whole").exists():
        rec.save(small(), tmp_path / "whole")
    files = sorted((tmp_path / "whole").iterdir())
    file = data.draw(st.sampled_from(files))
    before = file.read_bytes()
    place = data.draw(st.integers(0, min(len(before) - 1, 4000)))
    junk = data.draw(st.binary(min_size=1, max_size=8))
    file.write_bytes(before[:place] + junk + before[place + len(junk) :])
    try:
        for maps in rec.load(tmp_path / "whole").all_maps.values():
            assert maps.peak.shape == (maps.channels,) and maps.data.ndim == 3 + maps.colour
    except InnerwalkError as error:
        assert "\n" not in str(error)
    finally:
        file.write_bytes(before)


def test_maps_of_no_values_are_refused(tmp_path: Path) -> None:
    recording = small()
    recording.add(
        [rec.Maps("a", rec.ACTIVATIONS, np.zeros((2, 0, 4, 4), np.float32), 5, extras={"peak": np.zeros(5, "f4")})]
    )
    with pytest.raises(RecordingError, match="with no axis of size 0"):
        rec.load(rec.save(recording, tmp_path))


def test_a_name_that_is_no_text_is_saved_readably(tmp_path: Path) -> None:
    recording = small()
    recording.input_name = os.fsdecode(b"\xff.png")
    assert rec.load(rec.save(recording, tmp_path)).input_name == "?.png"


@pytest.mark.parametrize("shape", ["[0,1180591620717411303424]", "[1,0,4611686018427387904,4]"])
def test_wire_refuses_shapes_beyond_numbers(shape: str) -> None:
    header = ('{"a":{"dtype":"F32","shape":' + shape + ',"data_offsets":[0,0]}}').encode()
    with pytest.raises(RecordingError, match="out of bounds"):
        safetensors.decode(np.frombuffer(len(header).to_bytes(8, "little") + header, np.uint8), "lie")


def test_wire_refuses_lies() -> None:
    body = b"".join(bytes(piece) for piece in safetensors.encode({"a": np.zeros(3, np.float32)}))
    lies = [body.replace(b"[3]", b"[4]"), body + b"x", body.replace(b"F32", b"X99"), body.replace(b"[0,12]", b"[4,16]")]
    for lie in lies:
        with pytest.raises(RecordingError):
            safetensors.decode(np.frombuffer(lie, np.uint8), "lie")
