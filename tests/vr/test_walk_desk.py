"""Walks at the desk, by keys and mouse in a 3D view."""

import os

import pytest


def test_desk(play):
    play("walk_desk", seconds=700)


@pytest.mark.skipif(not os.environ.get("INNERWALK_DATA"), reason="photographs: INNERWALK_DATA names none")
def test_bridge(play):
    play("walk_desk_bridge", seconds=700)
