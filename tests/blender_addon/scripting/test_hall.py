"""`Hall` on recordings and files: each method does what it says, returns things, and fails in one line."""

import ast
import inspect
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from innerwalk.torch_bridge import recording as rec
from innerwalk.torch_bridge.recording.errors import (
    ArgumentError,
    BridgeError,
    InputError,
    RecordingError,
    SceneError,
    UnknownName,
)

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon import actions, scripting  # noqa: E402
from innerwalk.blender_addon.scripting import Channel, Hall, Panels  # noqa: E402
from innerwalk.blender_addon.scripting.inputs import bridge_input  # noqa: E402
from innerwalk.tests.support import live_halls as live  # noqa: E402
from innerwalk.tests.support.pictures import read_picture  # noqa: E402

ELSEWHERE = {
    "ablate_selected": "hall.selected.ablate()",
    "compare_input": "Hall.of the other input, then Hall.stand_beside",
    "compare_network": "Hall.of the other network, then Hall.stand_beside",
    "build_hall": "Hall.join waits for the hall and returns it",
    "export_figure": "Hall.figure returns the file",
    "export_hall": "Hall.export returns the folder",
    "render_pictures": "Hall.figure with preset camera and an eye",
    "take_picture": "Hall.figure with preset camera and an eye",
    "export_layer": "Panels.export returns the folder",
    "forget_requests": "a handler calls it when a file was opened",
    "import_recording": "Hall.open",
    "mark_misfit": "Channel.name_unit is given the pictures that don't fit",
    "open_demo": "Hall.demo",
    "outdated_halls": "Hall.rebuild_groups finds them",
    "probe": "Channel.value returns the number",
    "restore_after_undo": "a handler calls it after undo",
    "show_input": "Hall.place",
    "step_tile": "Channel.select",
}
"""Actions that `Hall` doesn't call, and what does the same."""


@pytest.fixture
def hall(empty_scene, recorded) -> Hall:
    return Hall.open(recorded)


def test_every_action_is_offered():
    trees = [ast.parse(path.read_text("utf-8")) for path in Path(scripting.__file__).parent.glob("*.py")]
    used = {
        node.attr
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "actions"
    }
    assert set(actions.__all__) - used == ELSEWHERE.keys()


@pytest.mark.parametrize("kind", [Hall, Panels, Channel])
def test_every_call_is_checked(kind):
    for name, member in inspect.getmembers(kind, inspect.isroutine):
        if not name.startswith("_") and name not in ("count", "index", "settle"):
            assert hasattr(member, "__wrapped__"), name


@pytest.mark.parametrize("kind", [Hall, Panels, Channel])
def test_methods_return_things_and_say_what_they_do(kind):
    for name, member in inspect.getmembers(kind, inspect.isroutine):
        if name.startswith("_") or name in ("count", "index"):  # of tuples
            continue
        assert member.__doc__.strip().endswith((".", ").")), name
        assert inspect.signature(member).return_annotation not in ("str", str, inspect.Signature.empty), name


def test_panels_by_name_and_glob(hall):
    assert hall.panels.layers == ("a", "b", ":add", "fc") and len(hall["?"]) == 2
    assert hall["a"].object is hall.scene.objects["a"] and hall["a"].channels == 5
    assert [panel.layer for panel in hall["*"]] == list(hall.panels.layers)
    with pytest.raises(UnknownName, match="no panel of layer 'fcc'; did you mean fc"):
        hall["fcc"]
    with pytest.raises(SceneError, match="4 panels, first a: name the layer of one"):
        _ = hall.panels.values


def test_values_are_those_of_the_recording(hall, recorded):
    recording = rec.load(recorded)
    for panel in hall.panels:
        assert np.array_equal(panel.values, recording.maps(panel.layer).data)
    channel = hall["b"].channel(3)
    assert np.array_equal(channel.values, recording.maps("b").data[3])
    assert channel.value(2, 1) == recording.maps("b").data[3, 2, 1]
    assert hall.prediction == recording.prediction and hall.input_name == "noise"
    assert live.equal(live.maps_of(hall.recording), live.maps_of(recording))
    with pytest.raises(InputError, match="no value \\(9, 0\\) in b: 6 × 4"):
        channel.value(9, 0)
    with pytest.raises(InputError, match="no channel 5 of b; it has 5, counted from 0"):
        hall["b"].channel(5)


def test_a_recording_in_memory_is_a_hall_too(empty_scene, recorded):
    hall = Hall.open(rec.load(recorded), title="Mine")
    assert hall.scene.name == "Mine" and hall.network.name == "tiny" and Hall.all()[0].scene == hall.scene


def test_arranging_is_chained(hall):
    panel, place = hall["a"], hall["a"].object.matrix_world.translation.copy()
    panel.move(1, z=0.5).scale(2)
    assert np.allclose(panel.object.matrix_world.to_scale(), 2)
    assert panel.reset().object.matrix_world.translation == place
    hall["?"].hide()
    assert [hall[layer].object.hide_render for layer in ("a", "b", "fc")] == [True, True, False]
    hall["?"].show()
    hall["b"].solo()
    assert hall["a"].object.hide_render and not hall["b"].object.hide_render
    assert not hall.show_all()["a"].object.hide_render
    hall["?"].align("row")
    with pytest.raises(SceneError, match="finite"):
        panel.move(float("nan"))


def test_selection_is_a_panel_or_a_channel(hall):
    assert hall.selected is None
    assert hall["a"].select().layer == hall.selected.layer == "a"
    hall["a"].channel(4).select()
    assert hall.selected.number == 4 and hall.selected.step().number == 0
    assert hall.deselect().selected is None


def test_the_look_is_of_this_hall_only(hall, recorded):
    other = Hall.open(recorded)
    hall.look(colour_map="ember", normalisation="layer", gain=2, theme="paper")
    look = hall.appearance
    assert (look.colour_map, look.normalisation, look.gain, look.theme) == ("ember", "layer", 2.0, "paper")
    assert other.appearance.colour_map == "signed"
    with pytest.raises(UnknownName, match="no colour map 'embr'; did you mean ember"):
        hall.look(colour_map="embr")
    with pytest.raises(ArgumentError, match="no argument 'colormap'; did you mean colour_map"):
        hall.look(colormap="ember")


def test_difference_and_side_by_side(hall, recorded):
    other = Hall.open(recorded)
    assert not hall.show_difference(other)["a"].values.any()
    assert np.array_equal(hall.show_activations()["a"].values, other["a"].values)
    hall.stand_beside(other)
    assert any(found.instance_collection for found in hall.scene.objects)
    assert not any(found.instance_collection for found in hall.stand_alone().scene.objects)


def test_files(hall, recorded, tmp_path):
    picture = hall.figure(tmp_path / "a.png", preset="layer", layer="b", size=(160, 90), samples=1)
    assert read_picture(picture).shape == (90, 160, 3)
    plate = hall.figure(tmp_path / "a.svg", preset="plate", width=85.0).read_text("utf-8")
    assert 'width="85mm"' in plate and ">5 × 6 × 4</text>" in plate and plate.count("<image") == 6
    grid = hall.figure(tmp_path / "b.svg", preset="grid", layer="b", channels=(1, 3)).read_text("utf-8")
    assert ">3</text>" in grid and ">b: 5 × 6 × 4, 2 shown</text>" in grid
    hall["b"].move(z=1)
    saved = hall.save(tmp_path / "a.blend")
    hall.remove()
    assert not Hall.all()
    again = Hall.load(saved)
    assert np.array_equal(again["b"].values, rec.load(recorded).maps("b").data)
    (tmp_path / "out").mkdir()
    assert (again["b"].export(tmp_path / "out") / "values.safetensors").is_file()
    assert (again.export(tmp_path / "out") / "export.json").is_file()


def test_a_removed_hall_says_so(hall):
    hall.remove()
    assert repr(hall) == "<hall tiny, removed>"
    with pytest.raises(SceneError, match="hall tiny was removed; build it again"):
        hall.look(gain=2)


class Odd:
    """Raises what it likes when it is read as an array."""

    def __array__(self, *args, **kwargs):
        raise RuntimeError("two\nlines")


def test_bad_arguments_are_one_line_and_change_nothing(hall, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for error, match, call in (
        (SceneError, "no such file", lambda: Hall.load(tmp_path / "no.blend")),
        (RecordingError, "no", lambda: Hall.open(tmp_path / "no")),
        (UnknownName, "did you mean overview", lambda: hall.figure(tmp_path / "a.png", preset="overwiew")),
        (ArgumentError, "no argument 'sise'; did you mean size", lambda: hall.figure(tmp_path / "a.png", sise=(1, 1))),
        (SceneError, "is a .svg or .png file", lambda: hall.figure(tmp_path / "a.pdf", preset="plate")),
        (ArgumentError, "did you mean width", lambda: hall.figure(tmp_path / "a.svg", preset="plate", widht=85.0)),
        (SceneError, "isn't a hall|is not a hall", lambda: Hall(bpy.data.scenes[0])),
        (BridgeError, "hall tiny has no network that can be run", lambda: hall.place("noise:7")),
        (InputError, "can't be read", lambda: bridge_input(tmp_path / "no.jpg")),
        (InputError, "write it like noise:7", lambda: bridge_input("noise:x")),
        (InputError, "'noise:9999", lambda: bridge_input("noise:" + "9" * 5000)),
        (InputError, "object is no input", lambda: bridge_input(object())),
        (InputError, "Odd is no input", lambda: bridge_input(Odd())),
        (InputError, "a masked array is no input", lambda: bridge_input(np.ma.masked_array(np.ones(3), [1, 0, 0]))),
        (InputError, "the empty path: can't be read", lambda: bridge_input("")),
        (InputError, "can't be read", lambda: bridge_input("a\0b.png")),
        (InputError, "/no /x.jpg: can't be read", lambda: bridge_input("/no\n/x.jpg")),
        (InputError, "pipe: can't be read", lambda: bridge_input(pipe)),
    ):
        with pytest.raises(error, match=match) as caught:
            call()
        assert "\n" not in str(caught.value)
    assert hall.input_name == "noise" and len(Hall.all()) == 1


def test_inputs_by_their_type(hall):
    assert bridge_input("noise:7").values == {"kind": "noise", "seed": 7}
    assert bridge_input(np.zeros((4, 5, 3), np.uint8)).values["kind"] == "pixels"
    values = bridge_input(np.ones((3, 4, 4), np.float32))
    assert values.values["kind"] == "upload" and values.values["name"].endswith(".npy")
    assert bridge_input(hall["b"].channel(1)).values["name"] == "b, channel 1"


def test_a_saved_hall_needs_nothing_of_ours(hall, recorded, tmp_path):
    """Saved, and opened by another process that has no innerwalk: the same texels."""
    wanted = {panel.layer: panel.values for panel in hall.panels}
    path = hall.save(tmp_path / "hall.blend")
    code = (
        "import bpy, sys, os; import numpy as np; sys.modules['innerwalk'] = None\n"
        "bpy.ops.wm.open_mainfile(filepath=sys.argv[1])\n"
        "for image in bpy.data.images:\n"
        "    if image.users and image.name in ('a', 'b'):\n"
        "        pixels = np.zeros(4 * image.size[0] * image.size[1], np.float32)\n"
        "        image.pixels.foreach_get(pixels); np.save(image.name, pixels)\n"
        "sys.stdout.flush(); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, path], cwd=tmp_path, env={"PATH": ""}, check=True, timeout=120)
    for layer in ("a", "b"):
        found = np.sort(np.load(tmp_path / f"{layer}.npy"))
        assert np.isin(wanted[layer].reshape(-1), found).all()


def test_relative_paths_of_a_person_are_kept(hall, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    image = bpy.data.images.new("Mine", 4, 4)
    image.filepath_raw, image.file_format = str(folder / "mine.png"), "PNG"
    image.save()
    bpy.data.images.remove(image)
    hall.scene.world["mine"] = bpy.data.images.load(str(folder / "mine.png"))
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "hall.blend"))
    assert bpy.data.images["mine.png"].filepath == "//mine.png"
    for _ in range(2):  # of the open file, then of another
        loaded = Hall.load(folder / "hall.blend")
        found = bpy.path.abspath(loaded.scene.world["mine"].filepath)
        assert Path(found).resolve() == (folder / "mine.png").resolve()
        live.empty_file()
    assert sorted(path.name for path in folder.iterdir()) == ["hall.blend", "mine.png"]


def test_panels_have_places_and_a_name(hall):
    assert [panel.layer for panel in hall.panels] == [hall.panels[k].layer for k in range(len(hall.panels))]
    assert hall.panels[-1].layer == "fc" and repr(hall.panels[0]) == "<1 panel: a>"
    with pytest.raises(IndexError):
        _ = hall.panels[len(hall.panels)]
