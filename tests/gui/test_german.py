"""Blender in German shows Innerwalk in German; look at out/gui/german/ for labels that are cut."""

from innerwalk.tests.support import ui_texts

SAME_SENSE = {"Play"}
"""Words that Blender translates otherwise, but to the same sense."""


def test_the_interface_speaks_german(play):
    result = play("german")
    assert result["operator"] == "In VR losgehen"
    assert result["tooltip"] == "Mit einem Headset durch die Halle gehen"
    assert result["english"] == "Walk in VR"
    assert not set(result["clashes"]) & ui_texts.layout_texts() - SAME_SENSE, (
        "Blender has another word: use `translated`"
    )
