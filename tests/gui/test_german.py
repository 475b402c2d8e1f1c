"""Blender in German shows Innerwalk in German; look at out/gui/german/ for labels that are cut."""


def test_the_interface_speaks_german(play):
    result = play("german")
    assert result["operator"] == "Rundgang starten"
    assert result["tooltip"] == "Mit einem Headset durch die Halle gehen"
    assert result["english"] == "Start Walk"
