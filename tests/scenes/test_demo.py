"""The bundled demo recording: it opens, it is small, and it equals a new recording of the shipped network."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

import innerwalk.blender_addon
from innerwalk.tests.support import OBJECT_RECORDING
from innerwalk.torch_bridge import concepts, toybox
from innerwalk.torch_bridge.recording import Recording, load, safetensors

DEMO = Path(innerwalk.blender_addon.__file__).parent / "demo"
LIMIT = 8_000_000
"""Bytes of the demo in the extension's zip."""


@pytest.fixture(scope="module")
def demo() -> Recording:
    return load(DEMO)


@pytest.fixture(scope="module")
def small() -> Recording:
    return load(OBJECT_RECORDING)


def assert_equals_fresh(recording: Recording, name: str, folder: Path, atol: float) -> None:
    """atol: how far values may be off, as a share of the layer's greatest peak, or of 1."""
    pytest.importorskip("torch", reason="recording needs torch")
    from innerwalk.scenes.shipped import spec_fields
    from innerwalk.torch_bridge.subject import RecordSpec, record_from

    fresh = record_from(RecordSpec(**spec_fields(name, folder), layers=("panels",)))
    assert fresh.network == recording.network
    assert fresh.all_maps.keys() == recording.all_maps.keys()
    for key, maps in fresh.all_maps.items():
        texels = recording.all_maps[key].texels
        most = atol * max(1.0, float(maps.peak.max())) + np.abs(maps.texels) * (2.0**-11 if name == "toybox" else 0)
        assert (np.abs(texels - maps.texels) <= most).all(), key
    assert [name for _, name, _ in fresh.prediction.top] == [name for _, name, _ in recording.prediction.top]


def test_it_is_small_and_stored_as_float16(tmp_path):
    with zipfile.ZipFile(tmp_path / "demo.zip", "w", zipfile.ZIP_DEFLATED) as file:
        for path in DEMO.iterdir():
            file.write(path, path.name)
    assert (tmp_path / "demo.zip").stat().st_size < LIMIT
    kinds = [
        array.dtype
        for path in DEMO.glob("a*.safetensors")
        for name, array in safetensors.open_arrays(path)[0].items()
        if "|" not in name
    ]
    assert kinds.count(np.dtype(np.float16)) > 0.9 * len(kinds)


def test_it_shows_all_kinds_of_blocks_of_a_trained_network(demo):
    shown, _ = demo.network.folded()
    kinds = [layer.kind for layer in shown]
    assert sum(layer.role == "panel" for layer in shown) == 53 and kinds.count("cat") == 5
    assert (kinds.count("Conv2d"), kinds.count("add"), kinds.count("scaled_dot_product_attention")) == (32, 10, 2)
    assert all(demo.maps(layer.shows).shape == layer.map_shape for layer in shown if layer.role == "panel")
    assert demo.network.trained and demo.network.name == "Toybox"
    assert demo.prediction.top[0][1] == "rocket" and demo.prediction.top[0][2] > 0.9
    assert (demo.picture == toybox.picture()).all()


def test_the_recording_that_tests_use_shows_the_object_network(small):
    shown, links = small.network.folded()
    kinds = [layer.kind for layer in shown]
    assert (kinds.count("Conv2d"), kinds.count("add"), kinds.count("Linear")) == (16, 6, 1)
    assert all(small.maps(layer.shows).shape == layer.map_shape for layer in shown)
    assert len(links) == 28, "four into each block, one more into three shortcuts, one into the last layer"
    assert small.network.trained and small.prediction.top[0][1] == "ring"
    assert (small.picture == concepts.picture()).all()


def test_the_demo_equals_a_fresh_recording(demo, tmp_path):
    assert_equals_fresh(demo, "toybox", tmp_path, 2e-4)


def test_the_recording_that_tests_use_equals_a_fresh_one(small, tmp_path):
    assert_equals_fresh(small, "object", tmp_path, 1e-4)
