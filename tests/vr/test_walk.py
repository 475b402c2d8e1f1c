"""Walks with a simulated headset and two controllers: real OpenXR sessions on Monado, one for each process."""

import os

import pytest

PHOTOGRAPHS = pytest.mark.skipif(not os.environ.get("INNERWALK_DATA"), reason="photographs: INNERWALK_DATA names none")


def test_everything_with_either_hand(play):
    result = play("walk_hands", mode="vr", seconds=700)
    assert result["landmarks"][:2] == ["Entrance", "Input"] and result["landmarks"][-1] == "Answer"
    assert result["changed"] == {}


@PHOTOGRAPHS
def test_pictures_methods_and_a_bridge_that_dies(play):
    play("walk_bridge", mode="vr", seconds=700)


def test_what_both_eyes_see(play):
    play("walk_pictures", mode="vr", seconds=1500, compositor="main")


def test_both_eyes_see_the_colours_that_numpy_computes(play):
    result = play("walk_colours", mode="vr", seconds=1500, compositor="main")
    assert len(result["colours"]) == len(result["new colours"]) == 20
    assert max(result["colours"]) <= 2 and max(result["new colours"]) <= 2


@PHOTOGRAPHS
def test_what_a_frame_costs(play):
    """Only measured, in `out/gui/walk_cost/result.json`; there is no limit."""
    result = play("walk_cost", mode="vr", seconds=700)
    assert result["cost ms"]["frames"] > 100


def test_labels_concepts_training_and_two_halls(play):
    result = play("walk_dissected", mode="vr", seconds=1500, compositor="main")
    assert len(result["categories"]) > 1
    assert result["ablated"]["before"] != result["ablated"]["after"]


def test_painting_on_a_generator_and_taking_it_back(play):
    play("walk_painted", mode="vr", seconds=700)  # with compositor="main" it takes pictures too


def test_naming_a_unit_by_the_menu(play):
    play("walk_named", mode="vr", seconds=700)
