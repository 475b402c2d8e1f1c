"""A person with a headset and two controllers, all of it simulated: real OpenXR sessions on Monado, one a process."""

import os

import pytest

PHOTOGRAPHS = pytest.mark.skipif(not os.environ.get("INNERWALK_DATA"), reason="photographs: INNERWALK_DATA names none")


def test_everything_with_either_hand(play):
    told = play("walk_hands", mode="vr", seconds=400)
    assert told["landmarks"][:2] == ["Entrance", "Input"] and told["landmarks"][-1] == "Answer"
    assert told["changed"] == {}


@PHOTOGRAPHS
def test_pictures_methods_and_a_bridge_that_dies(play):
    play("walk_bridge", mode="vr", seconds=400)


def test_what_both_eyes_see(play):
    play("walk_pictures", mode="vr", seconds=300, compositor="main")


@PHOTOGRAPHS
def test_what_a_frame_costs(play):
    """Told, not judged: `out/gui/walk_cost/result.json`."""
    told = play("walk_cost", mode="vr", seconds=400)
    assert told["cost ms"]["frames"] > 100
