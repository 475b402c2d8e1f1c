"""Attributes of the panels' points, for a person's geometry nodes: they equal the recording's numbers."""

import numpy as np
import pytest

from innerwalk.torch_bridge import recording as rec

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon.output.hall_files import save_hall  # noqa: E402
from innerwalk.blender_addon.properties import PANEL_ORDER  # noqa: E402
from innerwalk.blender_addon.scene import panels  # noqa: E402
from innerwalk.blender_addon.scene.hall import session_events  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402
from innerwalk.blender_addon.scene.hall.map_updates import update_after_maps  # noqa: E402
from innerwalk.blender_addon.scene.hall.store import read_recording  # noqa: E402

IDS = ("a", "b", ":add", "fc")


@pytest.fixture
def hall(empty_scene, recorded):
    made = create_hall(rec.load(recorded))
    bpy.context.window.scene = made
    return made


def points(mesh, name: str) -> list:
    return [item.value for item in mesh.attributes[name].data]


def other_maps(id: str, shape, seed: int = 5) -> rec.Maps:
    data = np.random.default_rng(seed).normal(size=shape) * 4
    return rec.Maps(id, rec.ACTIVATIONS, rec.pack(data), shape[0])


def assert_points(scene, maps_of) -> None:
    for order, id in enumerate(IDS):
        panel, maps = panels.panel_of(scene, id), maps_of(id)
        mesh, count = panel.data, maps.channels
        assert points(mesh, "layer") == [panel[PANEL_ORDER]] * count == [order] * count
        assert points(mesh, "channel") == list(range(count))
        assert np.allclose(points(mesh, "value"), maps.data.mean((1, 2)), rtol=1e-5), id
        assert np.allclose(points(mesh, "peak"), maps.peak, rtol=1e-6), id


def test_they_equal_the_recording_after_a_build(hall, recorded):
    recording = rec.load(recorded)
    assert_points(hall, recording.maps)
    fc = points(panels.panel_of(hall, "fc").data, "value")
    assert np.allclose(fc, recording.maps("fc").data.ravel()), "a vector's own values"


def show(scene, seed: int) -> dict[str, rec.Maps]:
    shapes = {id: read_recording(scene).maps(id).shape for id in IDS}
    made = {id: other_maps(id, shape, seed) for id, shape in shapes.items()}
    for id, maps in made.items():
        panels.show_maps(panels.panel_of(scene, id), maps)
    return made


def test_tiles_have_them_with_each_input_in_the_background(hall):
    made = show(hall, 5)
    update_after_maps(hall)
    assert_points(hall, made.get)
    tiles = panels.panel_of(hall, "a").evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    assert np.allclose(points(tiles, "value")[::4], made["a"].data.mean((1, 2)), rtol=1e-5)
    assert np.allclose(points(tiles, "peak")[::4], made["a"].peak, rtol=1e-6) and set(points(tiles, "layer")) == {0}


def test_values_that_are_not_finite_are_left_out(hall):
    data = np.array(
        [[[np.nan, 2.0], [4.0, np.inf]], [[np.nan] * 2] * 2, [[-1.0] * 2] * 2, [[0] * 2] * 2, [[1] * 2] * 2]
    )
    panel = panels.panel_of(hall, "a")
    panels.show_maps(panel, rec.Maps("a", rec.ACTIVATIONS, rec.pack(data), 5))
    panels.update_point_values(hall)
    assert points(panel.data, "value") == [3.0, 0.0, -1.0, 0.0, 1.0]


def test_the_methods_own_number_takes_the_place_of_the_mean(hall):
    panel, scores = panels.panel_of(hall, "a"), np.array([5, 4, 3, 2, 1], np.float32)
    maps = other_maps("a", (5, 6, 4))
    panels.show_maps(panel, rec.Maps("a", "contribution", maps.texels, 5, extras={"values": scores}))
    assert points(panel.data, "value") == scores.tolist() and np.allclose(points(panel.data, "peak"), maps.peak)
    panels.show_maps(panel, maps)
    assert np.allclose(points(panel.data, "value"), maps.data.mean((1, 2)), rtol=1e-5)


@pytest.mark.parametrize("by", ["Blender", "Innerwalk"])
def test_a_saved_file_has_them_though_a_window_did_not_write_them(hall, tmp_path, by):
    made, path = show(hall, 6), tmp_path / "hall.blend"
    panels.update_network_peak(hall)
    assert not np.allclose(points(panels.panel_of(hall, "a").data, "value"), made["a"].data.mean((1, 2)))
    session_events.update_handlers()
    if by == "Blender":
        bpy.ops.wm.save_as_mainfile(filepath=str(path))
    else:
        save_hall(hall, path)
    bpy.ops.wm.open_mainfile(filepath=str(path))
    scene = bpy.context.scene
    assert_points(scene, made.get)
    assert all(np.allclose(read_recording(scene).maps(id).data, maps.data) for id, maps in made.items())
