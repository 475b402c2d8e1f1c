"""Shifts of passes, what a camera sees, and the directions of the sky: known answers."""

import numpy as np
import pytest

pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon.scene.engine.passes import PictureCamera
from innerwalk.blender_addon.scene.engine.sampling import box_corners, in_view, pass_shifts, sky_directions

HALF_TURN = np.diag([-1.0, 1.0, -1.0, 1.0])


def perspective(near: float = 0.1, far: float = 100.0) -> np.ndarray:
    """A camera with a right angle of view both ways."""
    depth = [-(far + near) / (far - near), -2 * far * near / (far - near)]
    return np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, *depth], [0, 0, -1, 0]], float)


def test_shifts_are_centred_and_spread_like_the_filter():
    assert pass_shifts(1).tolist() == [[0, 0]]
    shifts = pass_shifts(512)
    assert np.abs(shifts.mean(0)).max() < 1e-9 and np.abs(shifts).max() < 1.5
    grid = np.linspace(-1.5, 1.5, 3001)
    turns = 2 * np.pi * (grid / 3 + 0.5)
    weights = 0.35875 - 0.48829 * np.cos(turns) + 0.14128 * np.cos(2 * turns) - 0.01168 * np.cos(3 * turns)
    assert shifts.std(0) == pytest.approx(np.sqrt(np.average(grid**2, weights=weights)), rel=0.02)


def test_boxes_beside_and_behind_the_camera_are_not_in_view():
    low = np.array([[-1, -1, -6], [-1, -1, 4], [20, -1, -6], [-50, -50, -200], [-9, -9, -9], [-1, 8, -6]], float)
    high = np.array([[1, 1, -5], [1, 1, 5], [22, 1, -5], [50, 50, -150], [9, 9, 9], [1, 9, -5]], float)
    seen = in_view(np.array([box_corners(*ends) for ends in zip(low, high, strict=True)]), perspective())
    assert seen.tolist() == [True, False, False, False, True, False]


def test_directions_of_the_sky():
    wide = sky_directions(perspective(), HALF_TURN)
    for place, wanted in (((0, 0), (0, 0, 1)), ((1, 0), (-1, 0, 1)), ((0, -1), (0, -1, 1))):
        found = (wide @ (*place, 1.0, 1.0))[:3]
        assert found / np.linalg.norm(found) == pytest.approx(np.array(wanted) / np.linalg.norm(wanted))
    parallel = sky_directions(np.diag([1.0, 1.0, -0.01, 1.0]), HALF_TURN)
    assert (parallel @ (0.7, -0.4, 1.0, 1.0))[:3].tolist() == [0, 0, 1]


def test_the_camera_of_a_part_sees_the_part():
    part = PictureCamera(perspective(), np.eye(4), 100, 50).part(60, 10, 20, 30)
    for place, wanted in (((60, 10), (-1, -1)), ((80, 40), (1, 1)), ((70, 25), (0, 0))):
        point = np.array([place[0] / 50 - 1, place[1] / 25 - 1, -1.0, 1.0])
        clip = part.projection @ point
        assert clip[:2] / clip[3] == pytest.approx(wanted)
