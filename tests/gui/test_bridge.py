"""Sessions with a bridge: only the extension's zip and a Python with torch are installed."""

import os

import pytest

PHOTOGRAPHS = pytest.mark.skipif(not os.environ.get("INNERWALK_DATA"), reason="photographs: INNERWALK_DATA names none")


@PHOTOGRAPHS
def test_from_the_first_look_to_a_value_under_the_cursor(play):
    result = play("bridge")
    assert result["panels"] == result["panels filled"] == 23
    assert result["networks"] == ["object"]
    assert result["data"] == {"photos": 472, "object": 2000}


@PHOTOGRAPHS
def test_changes_undo_and_methods_in_parts(play):
    play("bridge_changes")


@PHOTOGRAPHS
def test_files_and_a_bridge_that_dies(play):
    result = play("bridge_files")
    assert result["pictures"] >= 48
    assert result["table"] == 49


@PHOTOGRAPHS
def test_resnet50_follows_while_a_job_runs(play):
    assert play("bridge_resnet")["panels"] == 70


@PHOTOGRAPHS
def test_channels_are_asked_about(play):
    assert 0 < play("channels")["pictures that came first"] < 72


@PHOTOGRAPHS
def test_random_actions_with_undo_raise_nothing(play):
    result = play("random_walk")
    assert sum(result["actions"].values()) == 200 and result["panels compared"] > 5
