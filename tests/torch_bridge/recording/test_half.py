"""Recordings with maps as float16: how far off values are, and which layers stay float32."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from innerwalk.torch_bridge import load
from innerwalk.torch_bridge import recording as rec
from innerwalk.torch_bridge.recording import safetensors
from innerwalk.torch_bridge.recording.errors import RecordingError
from innerwalk.torch_bridge.recording.storage import restore_maps
from innerwalk.torch_bridge.recording.writing import describe_maps, to_half

SHAPE = (6, 5, 7)


def texels(seed: int = 0) -> np.ndarray:
    """(2, 5, 7, 4) float32: six channels of sizes from 0.001 to 10,000, one of them 0."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=SHAPE) * np.array([1e-3, 0.1, 1, 0, 100, 1e4])[:, None, None]
    return rec.pack(values.astype(np.float32))


def recording_of(*all_texels: np.ndarray) -> rec.Recording:
    layers = [rec.Layer("input", "input", "input", (3, 4, 4), (3, 4, 4))]
    layers += [rec.Layer(f"l{k}", "Conv2d", "panel", SHAPE, SHAPE, f"l{k}") for k in range(len(all_texels))]
    edges = tuple(rec.Edge(a.id, b.id) for a, b in zip(layers, layers[1:], strict=False))
    network = rec.Network("halves", tuple(layers), edges)
    made = rec.Recording(network, "noise", np.zeros((4, 4, 3), np.uint8), rec.Prediction())
    made.add(rec.Maps(f"l{k}", rec.ACTIVATIONS, own, SHAPE[0]) for k, own in enumerate(all_texels))
    return made


def stored(folder: Path) -> dict[str, np.dtype]:
    (file,) = folder.glob("activations-*.safetensors")
    return {name: array.dtype for name, array in safetensors.open_arrays(file)[0].items()}


def test_float16_is_stored_only_when_asked(tmp_path: Path) -> None:
    recording = recording_of(texels())
    assert stored(recording.save(tmp_path / "whole"))["l0"] == np.float32
    half = recording.save(tmp_path / "half", half=True)
    assert stored(half) == {"l0": np.float16, "l0|peak": np.float32}


def test_values_are_off_by_no_more_than_is_said(tmp_path: Path) -> None:
    exact = texels()
    found = load(recording_of(exact).save(tmp_path, half=True)).maps("l0")
    assert found.texels.dtype == np.float32
    error = np.abs(found.texels.astype(float) - exact)
    assert (error <= np.maximum(np.abs(exact) * 2.0**-11, 2.0**-25)).all()
    assert error.max() > 0  # it is rounded
    assert (found.texels[0, ..., 3] == 0).all()
    assert (found.peak == recording_of(exact).maps("l0").peak).all()


def test_what_is_no_number_stays(tmp_path: Path) -> None:
    odd = texels()
    odd[0, 0, :3, 0] = np.nan, np.inf, -np.inf
    folder = recording_of(odd).save(tmp_path, half=True)
    assert stored(folder)["l0"] == np.float16
    np.testing.assert_array_equal(load(folder).maps("l0").texels[0, 0, :3, 0], [np.nan, np.inf, -np.inf])


@pytest.mark.parametrize(("value", "is_half"), [(65504.0, True), (65505.0, False), (-1e6, False)])
def test_a_layer_with_values_beyond_float16_stays_float32(tmp_path: Path, value: float, is_half: bool) -> None:
    large = texels()
    large[0, 0, 0, 1] = value
    folder = recording_of(large, texels(1)).save(tmp_path, half=True)
    kinds = stored(folder)
    assert (kinds["l0"] == np.float16) == is_half and kinds["l1"] == np.float16
    assert load(folder).maps("l0").texels[0, 0, 0, 1] == value


@pytest.mark.parametrize(("greatest", "is_half"), [(2.0**-14, True), (2.0**-15, False), (1e-9, False)])
def test_a_channel_of_tiny_values_keeps_its_layer_float32(greatest: float, is_half: bool) -> None:
    tiny = texels()
    tiny[0, ..., 2] *= greatest / np.abs(tiny[0, ..., 2]).max()
    tiny[0, ..., 2].flat[np.abs(tiny[0, ..., 2]).argmax()] = greatest
    assert (to_half(tiny).dtype == np.float16) == is_half
    if not is_half:
        assert to_half(tiny) is tiny


def test_answers_of_a_bridge_may_be_float16() -> None:
    entry, arrays = describe_maps(recording_of(texels()).maps("l0"))
    arrays["l0"] = arrays["l0"].astype(np.float16)
    found = restore_maps(entry, arrays, "a bridge")
    assert found.texels.dtype == np.float32
    assert (found.texels == arrays["l0"]).all()


@pytest.mark.parametrize("dtype", [np.float64, np.int16, np.uint16])
def test_other_kinds_are_refused(dtype: type) -> None:
    maps = recording_of(texels()).maps("l0")
    entry, arrays = describe_maps(maps)
    with pytest.raises(RecordingError, match="float32 or float16"):
        restore_maps(entry, arrays | {"l0": np.zeros(maps.texels.shape, dtype)}, "a file")


def test_a_half_recording_saved_again_as_it_is_loses_nothing_more(tmp_path: Path) -> None:
    once = load(recording_of(texels()).save(tmp_path / "once", half=True))
    twice = load(dataclasses.replace(once).save(tmp_path / "twice", half=True))
    assert (once.maps("l0").texels == twice.maps("l0").texels).all()
