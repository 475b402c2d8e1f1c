"""Tables of buttons, hands that carry and stretch panels, landmarks of the tour: all without Blender."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from innerwalk.blender_addon.vr import grips
from innerwalk.blender_addon.vr.headset import bindings

NUMBERS = st.floats(-5, 5)
PLACES = st.tuples(NUMBERS, NUMBERS, NUMBERS).map(np.array)


def pose(seed: int) -> np.ndarray:
    """A rigid matrix (4, 4)."""
    rng = np.random.default_rng(seed)
    found = np.eye(4)
    found[:3, :3] = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    found[:3, 3] = rng.uniform(-5, 5, 3)
    return found


def at(matrix: np.ndarray, point: np.ndarray) -> np.ndarray:
    return (matrix @ np.append(point, 1.0))[:3]


# Buttons, by the tables of OpenXR 1.0, 6.4

PARTS = {
    bindings.INDEX: "trigger/value squeeze/value a/click b/click thumbstick/x thumbstick/y thumbstick/click "
    "trackpad/x trackpad/y",
    bindings.TOUCH: "trigger/value squeeze/value thumbstick/x thumbstick/y thumbstick/click",
    bindings.VIVE: "trigger/value trigger/click squeeze/click menu/click trackpad/x trackpad/y trackpad/click",
    bindings.WMR: "trigger/value squeeze/click menu/click thumbstick/x thumbstick/y thumbstick/click trackpad/click",
    bindings.SIMPLE: "select/click menu/click",
}
"""Inputs of both hands by controller; the buttons of Touch differ."""
TOUCH = ({"x/click", "y/click", "menu/click"}, {"a/click", "b/click", "system/click"})


@pytest.mark.parametrize("name", bindings.INPUTS)
def test_every_button_is_on_its_controller(name):
    for profile, both in bindings.component_paths(name):
        for hand, path in enumerate(both):
            own = TOUCH[hand] if profile == bindings.TOUCH else set()
            assert path.removeprefix("/input/") in {*PARTS[profile].split(), *own}, (profile, path)


def test_every_controller_can_pick_and_open_the_menu():
    for name in ("trigger", "menu"):
        assert set(bindings.INPUTS[name]) == set(bindings.PROFILES)
    for name in ("squeeze", "forward", "sideways", "next"):
        assert set(bindings.INPUTS[name]) == set(bindings.PROFILES) - {bindings.SIMPLE}


def test_no_button_has_two_actions():
    for profile in bindings.PROFILES:
        bound = [
            (dict(bindings.component_paths(action.input))[profile], action.mode, action.axis)
            for action in bindings.BUTTON_ACTIONS
            if profile in bindings.INPUTS[action.input]
        ]
        assert len(set(bound)) == len(bound)


# Hands


@given(st.integers(0, 10**6))
def test_a_carried_panel_keeps_its_pose_in_the_hand(seed):
    panel, before, now = pose(seed), pose(seed + 1), pose(seed + 2)
    carried = grips.carry_panel(panel, before, now)
    assert np.allclose(np.linalg.inv(now) @ carried, np.linalg.inv(before) @ panel)
    assert np.allclose(grips.carry_panel(panel, before, before), panel)


@given(st.integers(0, 10**6), PLACES, st.floats(0.2, 2), st.floats(0.2, 5), st.floats(-3, 3), PLACES)
def test_two_hands_scale_by_the_distance_between_them(seed, first, apart, factor, angle, shift):
    panel = pose(seed)
    along = np.array([apart, 0.0, 0.0])
    turned = np.array([math.cos(angle), math.sin(angle), 0.0]) * apart * factor
    before, now = (first, first + along), (first + shift, first + shift + turned)
    stretched = grips.stretch_panel(panel, before, now)
    halfway = at(np.linalg.inv(panel), first + along / 2)
    assert np.allclose(at(stretched, halfway), first + shift + turned / 2, atol=1e-6)
    assert np.allclose(np.linalg.norm(stretched[:3, :3], axis=0), factor)
    assert np.allclose(stretched[:3, 2] / factor @ (0, 0, 1), panel[:3, 2] @ (0, 0, 1))  # its tilt stays


def test_hands_at_one_point_cause_no_division_by_zero():
    here = np.zeros(3)
    assert np.allclose(grips.stretch_panel(np.eye(4), (here, here), (here, here)), np.eye(4))
    grown = grips.stretch_panel(np.eye(4), (here, here), (here, np.array([100.0, 0, 0])))
    assert np.allclose(np.linalg.norm(grown[:3, 0]), grips.MAX_FACTOR)


@given(PLACES, PLACES)
def test_a_pose_that_faces_the_eye_is_upright(place, eye):
    if np.linalg.norm(eye - place) < 1e-3:
        return
    found = np.array(grips.facing_pose(place, eye))
    assert np.allclose(found[:3, :3] @ found[:3, :3].T, np.eye(3), atol=1e-6)
    assert np.isclose(np.linalg.det(found[:3, :3]), 1.0)
    assert found[2, 0] == pytest.approx(0.0)
    assert found[:3, 2] @ (eye - place) > 0.9 * np.linalg.norm(eye - place)


# Landmarks


def test_a_tour_goes_from_the_entrance_to_the_answer():
    from innerwalk.blender_addon.vr.landmarks import plan_landmarks
    from innerwalk.tests.support import graphs

    plan = graphs.walk("resnet50")
    tour = plan_landmarks(plan)
    assert [landmark.name for landmark in tour][:2] == ["Entrance", "Input"] and tour[-1].name == "Answer"
    assert len({landmark.name for landmark in tour}) == len(tour)
    assert len(tour) == 3 + sum(not stage.continued for stage in plan.stages)
    for landmark in tour[2:-1]:
        assert abs(landmark.position[0] - plan.wings[0].x) < 1e-9 and landmark.yaw == 0
    board_y = plan.answer_y
    assert tour[-1].position[1] == pytest.approx(board_y - 2.2) and tour[-1].yaw == 0.0
