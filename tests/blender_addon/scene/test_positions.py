"""Which frame or window of the input a panel shows: stored on it, and said on frame, card and inspector."""

from dataclasses import replace

import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.imaging import statistics  # noqa: E402
from innerwalk.blender_addon.plans.layer_card import card_lines  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402
from innerwalk.blender_addon.scene.materials.images import pack_images  # noqa: E402
from innerwalk.blender_addon.scripting import Hall  # noqa: E402
from innerwalk.torch_bridge import recording as rec  # noqa: E402


@pytest.fixture(autouse=True)
def clean():
    bpy.ops.wm.read_factory_settings(use_empty=True)


def with_position(recorded) -> rec.Recording:
    """The small recording, whose layer a shows frame 3 of 16."""
    recording = rec.load(recorded)
    recording.add([replace(recording.maps("a"), position=3, positions=16, axis="frame")])
    return recording


def texts_of(scene, layer: str) -> int:
    """Number of vertices of a panel's frame, which its texts are part of, that lie below the tiles."""
    frame = next(holder for holder in scene.objects if holder.name.startswith(f"{layer} frame"))
    return sum(vertex.co.y < -0.05 for vertex in frame.data.vertices)


def test_a_hall_says_which_frame_a_panel_shows(recorded, tmp_path):
    scene = create_hall(with_position(recorded))
    assert Hall(scene)["a"].maps.place == "frame 3 of 16" and Hall(scene)["b"].maps.place == ""
    assert (Hall(scene)["a"].maps.position, Hall(scene)["a"].maps.positions) == (3, 16)
    assert texts_of(scene, "a") > 50 and texts_of(scene, "b") <= 4  # its rim
    for facts in (actions.inspect_layer(scene, "a").facts, actions.inspect_channel(scene, "a", 2).facts):
        assert dict(facts)["Shows"] == "frame 3 of 16"
    assert "Shows" not in dict(actions.inspect_channel(scene, "b", 2).facts)
    name = scene.name
    pack_images()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "hall.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "hall.blend"))
    assert Hall(bpy.data.scenes[name])["a"].maps.place == "frame 3 of 16"


def test_the_card_says_which_frame_it_is_about(recorded):
    recording = with_position(recorded)
    maps = recording.maps("a")
    layer, found = recording.network.layer("a"), statistics.layer_statistics(maps)
    assert "frame 3 of 16" in [text for text, _, _ in card_lines(layer, found, maps)]
    whole = card_lines(layer, found, replace(maps, position=0, positions=1))
    assert len(whole) == len(card_lines(layer, found, maps)) - 1


def test_the_card_says_which_channels_the_maps_are_of_and_their_note(recorded):
    recording = rec.load(recorded)
    maps, layer = recording.maps("a"), recording.network.layer("a")

    def texts(maps):
        return [text for text, _, _ in card_lines(layer, statistics.layer_statistics(maps), maps)]

    count, height, width = layer.map_shape
    assert f"{count} channels of {height} × {width}" in texts(maps)
    assert f"2 of {count} channels of {height} × {width}" in texts(maps.only([0, count - 1]))
    single = replace(maps.only([1]), channel_numbers=())  # an only map of all channels together
    assert f"{count} channels of {height} × {width}" in texts(single)
    noted = texts(replace(maps, note="plain gradient; own gradient of gelu"))
    assert noted[-3:-1] == ["plain gradient", "own gradient of gelu"]
