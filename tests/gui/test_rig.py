"""The rig itself: its mouse and keys work like real ones, and failures are reported."""

import json
from pathlib import Path

import pytest

OUT = Path(__file__).resolve().parents[2] / "out" / "gui"


def test_mouse_keys_menus_and_drops_arrive(play):
    assert play("by_hand")["moved by pixels"] == pytest.approx([0, 0], abs=1)


def test_a_session_that_waits_in_vain_fails_and_leaves_a_picture(play):
    with pytest.raises(AssertionError, match="gave up waiting for: what never comes"):
        play("fails")
    assert json.loads((OUT / "fails" / "result.json").read_text())["checks"] == {"this holds": True}
    assert (OUT / "fails" / "failed.png").is_file()


def test_a_session_that_hangs_is_ended(play):
    with pytest.raises(AssertionError, match="ended with 124"):
        play("hangs", seconds=5)
