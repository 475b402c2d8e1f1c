"""The list of layers says each layer's own shape, and the end of its name, in which layers differ."""

import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402
from innerwalk.blender_addon.ui.hall.layer_list import elided, shape_label  # noqa: E402
from innerwalk.tests.support import OBJECT_RECORDING  # noqa: E402
from innerwalk.torch_bridge.recording import load  # noqa: E402


def test_shapes_are_those_of_the_activations(empty_scene):
    hall = create_hall(load(OBJECT_RECORDING))
    assert shape_label(hall, "stage1.0.conv1") == "24×32²"
    assert shape_label(hall, "fc") == "6"
    assert shape_label(hall, "missing") == ""


@pytest.mark.parametrize(
    ("name", "length", "shown"), [("fc", 8, "fc"), ("stage1.0.shortcut", 8, "…hortcut"), ("layer3.1", 8, "layer3.1")]
)
def test_the_beginning_of_long_names_is_left_out(name, length, shown):
    assert elided(name, length) == shown
