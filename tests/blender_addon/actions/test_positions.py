"""The window that a panel shows is chosen live: maps, methods and later inputs keep it, and its frame says which."""

from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.live import stored_choices  # noqa: E402
from innerwalk.blender_addon.live.session import current  # noqa: E402
from innerwalk.blender_addon.properties import CHOSEN_POSITIONS, POSITION_NUMBER  # noqa: E402
from innerwalk.blender_addon.scene.hall import store  # noqa: E402
from innerwalk.blender_addon.scene.panels import panel_of  # noqa: E402
from innerwalk.blender_addon.scene.state.parts import find_child  # noqa: E402
from innerwalk.blender_addon.scripting import Hall  # noqa: E402
from innerwalk.blender_addon.ui.inspect import position_field  # noqa: E402
from innerwalk.tests.support import live_halls as live  # noqa: E402
from innerwalk.torch_bridge import client  # noqa: E402
from innerwalk.torch_bridge.recording import Recording  # noqa: E402
from innerwalk.torch_bridge.recording.errors import InputError, SceneError, UnknownName  # noqa: E402

WINDOW = {"inside": 2}


@pytest.fixture(scope="module")
def folder(torch_python, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("bridge")
    with live.registered():
        live.start(torch_python, {"Windowed": live.own("Windowed"), "Gated": live.own("Gated")}, {}, folder)
        yield folder


@pytest.fixture
def hall(folder) -> Hall:
    live.empty_file()
    current().error = ""
    return Hall(live.built("Windowed"))


def recorded(*inputs, **options) -> Recording:
    with live.bridge() as bridge:
        return bridge.record("Windowed", inputs, **options)


def asked(method: str, **about) -> dict[str, np.ndarray]:
    with live.bridge() as bridge:
        return live.job_maps(bridge, bridge.start("Windowed", method, **about))


def text_below(hall: Hall, layer: str) -> np.ndarray:
    """(n, 2): the points of a panel's frame that lie below its rim, which are those of the text."""
    mesh = find_child(panel_of(hall.scene, layer), "frame").data
    points = np.zeros(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", points)
    points = points.reshape(-1, 3)[:, :2]
    return points[points[:, 1] < -0.05].round(4)


def test_the_panel_shows_the_chosen_window(hall):
    assert (hall["inside"].position, hall["inside"].positions, hall["stem"].positions) == (0, 4, 1)
    before, objects = text_below(hall, "inside"), live.counts()
    hall["inside"].position = 2
    expected = recorded(positions=WINDOW)
    assert not np.array_equal(expected.maps("inside").texels, recorded().maps("inside").texels)
    live.assert_shows(hall.scene, expected)
    assert hall["inside"].position == 2 and hall["inside"].maps.place == "window 2 of 4"
    assert store.read_description(hall.scene).provenance["positions"] == WINDOW
    after = text_below(hall, "inside")
    assert len(before) > 50 and len(after) > 50 and not np.array_equal(before, after), "the text is another one"
    assert not len(text_below(hall, "stem")) and live.counts() == objects
    hall["inside"].position = np.int64(0)
    live.assert_shows(hall.scene, recorded())
    assert np.array_equal(text_below(hall, "inside"), before)


def test_later_inputs_and_ablations_keep_it(hall):
    hall["inside"].position = 2
    hall.place("noise:5")
    live.assert_shows(hall.scene, recorded(client.noise(5), positions=WINDOW))
    hall["stem"].ablate(0)
    live.assert_shows(hall.scene, recorded(client.noise(5), positions=WINDOW, ablate={"stem": [0]}))
    hall["inside"].position = 3
    live.assert_shows(hall.scene, recorded(client.noise(5), positions={"inside": 3}, ablate={"stem": [0]}))
    hall.restore_channels()
    live.assert_shows(hall.scene, recorded(client.noise(5), positions={"inside": 3}))


def test_a_method_looks_at_it(hall):
    hall.ask("saliency").place("noise:4")
    first = text_below(hall, "inside")
    hall["inside"].position = 2
    about = {"inputs": [client.noise(4)], "positions": WINDOW}
    found, wanted = live.texels(hall.scene), asked("saliency", **about)
    assert live.equal(found, wanted) and not live.equal(wanted, asked("saliency", inputs=[client.noise(4)]))
    assert hall["inside"].maps.place == "window 2 of 4" and hall["inside"].maps.method == "saliency"
    assert not np.array_equal(text_below(hall, "inside"), first)
    hall.ask("weights")
    assert not len(text_below(hall, "inside")) and hall["inside"].maps.place == "", "weights are of no window"
    assert (hall["inside"].position, hall["inside"].positions) == (2, 4)
    hall.show_activations()
    live.assert_shows(hall.scene, recorded(client.noise(4), positions=WINDOW))
    assert len(text_below(hall, "inside"))


def test_what_is_not_there_is_refused(hall):
    hall["inside"].position = 1
    for position, problem in ((4, "window 4"), (-1, "window -1"), (1.0, "window 1.0"), (True, "window True")):
        with pytest.raises(InputError, match=rf"^layer inside has windows 0 to 3; there is no {problem}$"):
            hall["inside"].position = position
    with pytest.raises(InputError, match="^layer stem has one value for each input, so there is no position to choose"):
        hall["stem"].position = 0
    with pytest.raises(UnknownName, match="no panel of layer 'insid'; did you mean inside"):
        actions.choose_position(hall.scene, "insid", 1)
    with pytest.raises(SceneError, match="3 panels"):
        hall.panels.position = 1
    live.assert_shows(hall.scene, recorded(positions={"inside": 1}))


def test_what_the_bridge_refuses_is_not_kept(hall):
    hall["inside"].position = 1
    hall.scene[CHOSEN_POSITIONS] = '{"inside": 9}'
    with pytest.raises(InputError, match="no window 9 of layer 'inside': it has 4, counted from 0"):
        hall.place("noise:9")
    live.settled()
    live.assert_shows(hall.scene, recorded(positions={"inside": 1}))
    assert hall["inside"].position == 1


def test_undo_and_files_keep_it(hall, tmp_path):
    bpy.ops.ed.undo_push(message="start")
    for position in (1, 2):
        arguments = {"layer": "inside", "position": position}
        assert bpy.ops.innerwalk.choose_position("EXEC_DEFAULT", True, **arguments) == {"FINISHED"}
        actions.wait_for_bridge()
    assert bpy.ops.ed.undo() == {"FINISHED"}
    actions.wait_for_bridge()
    hall = Hall(store.halls()[0])
    live.assert_shows(hall.scene, recorded(positions={"inside": 1}))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "hall.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "hall.blend"))
    hall = Hall(store.halls()[0])
    assert hall["inside"].maps.place == "window 1 of 4"
    assert (hall["inside"].position, hall["inside"].positions) == (1, 4)
    with pytest.raises(InputError, match="place it again first"):
        hall["inside"].position = 2
    hall.place("noise:3")
    live.assert_shows(hall.scene, recorded(client.noise(3), positions={"inside": 1}))
    hall.follow("Gated")
    assert stored_choices.chosen_positions(hall.scene) == {}


class Layout:
    """A layout that records what is drawn."""

    def __init__(self) -> None:
        self.drawn: list[str] = []
        self.enabled = True

    def row(self, align: bool = False) -> "Layout":
        return self

    def prop(self, owner, name: str, text: str) -> None:
        self.drawn.append(f"{text} {getattr(owner, name)}")

    def label(self, text: str) -> None:
        self.drawn.append(text)


def drawn(hall: Hall) -> list[str]:
    layout = Layout()
    position_field.draw_position(layout, hall.scene)
    return layout.drawn


def test_the_field_of_the_selected_layer(hall):
    assert drawn(hall) == []
    hall["stem"].select()
    assert drawn(hall) == []
    hall["inside"].select()
    assert drawn(hall) == ["Window 0", "of 4"]
    setattr(hall.scene, POSITION_NUMBER, 2)
    assert drawn(hall) == ["Window 2", "of 4"], "at once, before the bridge has answered"
    hall.wait()
    live.assert_shows(hall.scene, recorded(positions=WINDOW))
    setattr(hall.scene, POSITION_NUMBER, 99)
    hall.wait()
    assert drawn(hall) == ["Window 3", "of 4"] and hall["inside"].maps.place == "window 3 of 4"
