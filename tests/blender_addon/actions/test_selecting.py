"""The selected tile: its neighbours on the panel's grid, and its corners."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402
from innerwalk.blender_addon.scene.panels import panels, show_channels, show_maps, size_of, tile_corners  # noqa: E402
from innerwalk.torch_bridge import recording as rec  # noqa: E402


@pytest.fixture
def hall(empty_scene, recorded):
    """A hall whose layer a has five channels on a grid of three columns: 0 1 2 / 3 4."""
    scene = create_hall(rec.load(recorded))
    show_channels(panels(scene)["a"], np.arange(5), 3, 2, (0.5, 0.4))
    return scene


@pytest.mark.parametrize(
    ("channel", "right", "down", "wanted"),
    [(0, 1, 0, 1), (1, 0, 1, 4), (4, 0, -1, 1), (2, 1, 0, 2), (3, -1, 0, 3), (2, 0, 1, 2), (0, 0, -1, 0), (0, 2, 0, 2)],
)
def test_arrows_go_to_the_neighbour_and_stop_at_the_edge(hall, channel, right, down, wanted):
    actions.select(hall, "a", channel)
    assert actions.step_tile(hall, right, down) == f"a, channel {wanted}"


def test_of_some_channels_the_shown_ones_are_neighbours(hall):
    maps = rec.Maps("a", "saliency", rec.pack(np.ones((2, 3, 3), np.float32)), 2, channel_numbers=(1, 3))
    show_maps(panels(hall)["a"], maps)
    actions.select(hall, "a", 1)
    steps = {actions.step_tile(hall, 1, 0), actions.step_tile(hall, 0, 1)}
    assert "a, channel 3" in steps


def test_corners_are_those_of_the_tile(hall):
    panel = panels(hall)["a"]
    corners = np.array(tile_corners(panel, 4))
    assert corners.mean(0) == pytest.approx((0.75, 0.2)) and np.ptp(corners, 0)[0] == pytest.approx(0.92 * 0.5, abs=0.1)
    assert tile_corners(panel, 5) == ()
    show_channels(panel, np.array([0, 1]), 2, 1, (0.5, 0.4))
    assert tile_corners(panel, 4) == ()
    show_maps(panel, rec.Maps("a", "grad_cam", rec.pack(np.ones((1, 3, 3), np.float32)), 1))
    assert tile_corners(panel, 3) == tile_corners(panel, 0) != ()
    assert max(x for x, _ in tile_corners(panel, 0)) <= size_of(panel)[0] + 1e-6
