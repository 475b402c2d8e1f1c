"""The bundled demo recording: it opens, it is small, and it equals a new recording."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import innerwalk.blender_addon
from innerwalk.torch_bridge import concepts
from innerwalk.torch_bridge.recording import Recording, load

DEMO = Path(innerwalk.blender_addon.__file__).parent / "demo"
LIMIT = 1_500_000


@pytest.fixture(scope="module")
def demo() -> Recording:
    return load(DEMO)


def test_it_is_small():
    assert sum(path.stat().st_size for path in DEMO.iterdir()) < LIMIT


def test_it_shows_the_object_network_on_its_picture(demo):
    shown, links = demo.network.folded()
    kinds = [layer.kind for layer in shown]
    assert (kinds.count("Conv2d"), kinds.count("add"), kinds.count("Linear")) == (16, 6, 1)
    assert all(demo.maps(layer.shows).shape == layer.map_shape for layer in shown)
    assert len(links) == 28, "four into each block, one more into three shortcuts, one into the last layer"
    assert demo.network.trained and demo.prediction.top[0][1] == "ring"
    assert (demo.picture == concepts.picture()).all()


def test_it_equals_a_fresh_recording(demo, tmp_path):
    pytest.importorskip("torch", reason="recording needs torch")
    from innerwalk.scenes.shipped import spec_fields
    from innerwalk.torch_bridge.subject import RecordSpec, record_from

    fresh = record_from(RecordSpec(**spec_fields("object", tmp_path), layers=("panels",)))
    assert fresh.network == demo.network
    assert fresh.all_maps.keys() == demo.all_maps.keys()
    for key, maps in fresh.all_maps.items():
        scale = max(1.0, float(maps.peak.max()))
        np.testing.assert_allclose(demo.all_maps[key].texels, maps.texels, rtol=0, atol=1e-4 * scale, err_msg=str(key))
    assert [name for _, name, _ in fresh.prediction.top] == [name for _, name, _ in demo.prediction.top]
