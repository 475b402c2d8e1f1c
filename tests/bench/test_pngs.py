"""The PNGs of the reference server hold the same maps of the same panels as the bridge."""

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from innerwalk.bench import pngs  # noqa: E402
from innerwalk.torch_bridge import record  # noqa: E402
from innerwalk.torch_bridge.models.build import build_model  # noqa: E402


def test_every_panel_of_a_resnet_is_served_with_its_own_values():
    model, picture = build_model("resnet50").module.eval(), torch.rand(1, 3, 64, 64)
    made = record(model, picture, layers="panels")
    served = pngs.panels_of(model, (picture,))
    assert served.keys() == {layer for layer, _ in made.all_maps}
    for maps in made.all_maps.values():
        assert np.array_equal(served[maps.layer], maps.data)
    assert not model.layer1[0].bn1._forward_hooks and not model.layer1[0].relu._forward_pre_hooks


def test_what_is_served_comes_back_within_half_a_step():
    maps = np.random.default_rng(0).normal(size=(3, 5, 9)).astype(np.float32)
    low, step = maps.min(), (maps.max() - maps.min()) / 255
    for encode in (pngs.png, pngs.pillow):
        body = pngs.layer_as_json(maps, encode)
        assert len(json.loads(body)["pngs"]) == 3
        if encode is pngs.png:
            assert np.abs(low + step * pngs.layer_from_json(body) - maps).max() <= 0.501 * step


def test_the_png_is_one():
    from io import BytesIO

    from PIL import Image

    plane = np.arange(77, dtype=np.uint8).reshape(7, 11)
    for encode in (pngs.png, pngs.pillow):
        assert np.array_equal(np.asarray(Image.open(BytesIO(encode(plane)))), plane)
