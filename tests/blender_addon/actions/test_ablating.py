"""Ablated channels of a hall: panels and answer are those of the network without them."""

import json
from pathlib import Path

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.actions.ablating import ablation_facts  # noqa: E402
from innerwalk.blender_addon.live import session as sessions  # noqa: E402
from innerwalk.blender_addon.live import stored_choices  # noqa: E402
from innerwalk.blender_addon.live.session import current  # noqa: E402
from innerwalk.blender_addon.properties import ABLATED_CHANNELS, INPUT_TAG, NETWORK_NAME, PANEL_CONCEPTS  # noqa: E402
from innerwalk.blender_addon.scene.hall import build, store  # noqa: E402
from innerwalk.blender_addon.scene.panels import panel_of  # noqa: E402
from innerwalk.blender_addon.scene.panels.label_search import concept_channels  # noqa: E402
from innerwalk.blender_addon.ui.hall import ablation_operators  # noqa: E402
from innerwalk.blender_addon.ui.inspect import answer_panel  # noqa: E402
from innerwalk.tests.support import live_halls as live  # noqa: E402
from innerwalk.torch_bridge import client  # noqa: E402
from innerwalk.torch_bridge.recording import Recording  # noqa: E402
from innerwalk.torch_bridge.recording.errors import BridgeError, InputError, SceneError, UnknownName  # noqa: E402

NETWORKS = {"object": live.OBJECT, "twin": live.OBJECT, "Gated": live.own("Gated")}
CUT = {"stem.conv": [1, 4, 7]}


@pytest.fixture(scope="module")
def folder(torch_python, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("bridge")
    with live.registered():
        live.start(torch_python, NETWORKS, {"objects": "concepts:object"}, folder)
        yield folder


@pytest.fixture
def hall(folder):
    live.empty_file()
    current().error = ""
    return live.built("object")


def recorded(network: str, *inputs, **options) -> Recording:
    with live.bridge() as bridge:
        return bridge.record(network, inputs, **options)


def waited(line: str, *halls) -> str:
    for hall in halls or store.halls():
        actions.wait_for_bridge(hall)
    return line


def act(name: str, **arguments) -> None:
    assert getattr(bpy.ops.innerwalk, name)("EXEC_DEFAULT", True, **arguments) == {"FINISHED"}
    actions.wait_for_bridge(bpy.context.scene)


def test_the_hall_shows_the_network_without_them(hall):
    line = waited(actions.ablate(hall, "stem.conv", [4, 1]))
    assert line == "ablated 2 channels of stem.conv"
    waited(actions.ablate(hall, "stem.conv", [7, 1]))
    expected = recorded("object", ablate=CUT)
    assert expected.prediction.top != recorded("object").prediction.top
    live.assert_shows(hall, expected)
    assert store.read_description(hall).provenance["ablated"] == {"stem.norm": [1, 4, 7]}
    assert stored_choices.ablated_channels(hall) == CUT
    stem = live.texels(hall)["stem.norm"]
    assert not any(stem[channel // 4, ..., channel % 4].any() for channel in CUT["stem.conv"]) and stem[0, ..., 0].any()


def test_the_sidebar_shows_the_answer_and_its_change(hall):
    top = recorded("object").prediction.top
    assert answer_panel.answer_rows(hall) == [(name, share, "") for _, name, share in top[:5]]
    waited(actions.ablate(hall, "fc", [top[0][0]]))
    before = {index: share for index, _, share in top}
    after = recorded("object", ablate={"fc": [top[0][0]]}).prediction.top[:5]
    rows = answer_panel.answer_rows(hall)
    assert [row[:2] for row in rows] == [(name, share) for _, name, share in after]
    for (index, _, share), (*_, change) in zip(after, rows, strict=True):
        if index not in before:
            assert change == "new"
        elif abs(share - before[index]) >= answer_panel.LEAST_CHANGE:
            assert float(change.replace("−", "-")) == pytest.approx(100 * (share - before[index]), abs=0.051)
    assert any(change for *_, change in rows) and answer_panel.INNERWALK_PT_answer.poll(bpy.context)
    hall.pop(INPUT_TAG)  # as an entry of a series does
    assert not any(change for *_, change in answer_panel.answer_rows(hall))


def test_the_next_input_is_looked_at_without_them(hall):
    actions.ablate(hall, "stage2.0:add", [3])
    waited(actions.place_input(hall, noise=3))
    live.assert_shows(hall, recorded("object", client.noise(3), ablate={"stage2.0:add": [3]}))


def test_they_are_given_back(hall):
    actions.ablate(hall, "stem.conv", [1, 4])
    actions.ablate(hall, "fc", [2])
    assert waited(actions.restore_channels(hall, "stem.conv", [4])) == "restored channel 4 of stem.conv"
    live.assert_shows(hall, recorded("object", ablate={"stem.conv": [1], "fc": [2]}))
    waited(actions.restore_channels(hall, "stem.conv"))
    live.assert_shows(hall, recorded("object", ablate={"fc": [2]}))
    waited(actions.restore_channels(hall))
    live.assert_shows(hall, recorded("object"))
    assert ABLATED_CHANNELS not in hall
    with pytest.raises(InputError, match="no channel to restore is ablated"):
        actions.restore_channels(hall)
    with pytest.raises(InputError, match="no channel of fc to restore is ablated"):
        actions.restore_channels(hall, "fc")


@pytest.mark.parametrize("remembered", [1 << 30, 1])
def test_undo_and_redo(hall, monkeypatch, remembered):
    """From memory, and by running the input again."""
    monkeypatch.setattr(sessions, "MEMORY_BYTES", remembered)
    bpy.ops.ed.undo_push(message="start")
    act("place_input", noise=5)
    act("ablate", layer="stem.conv", channels="1, 4,7-7")
    act("ablate", layer="stage1.1:add", channels="2")
    known = [recorded("object", client.noise(5), ablate=cut) for cut in ({}, CUT, CUT | {"stage1.1:add": [2]})]
    live.assert_shows(store.halls()[0], known[2])
    for expected in (known[1], known[0]):
        assert bpy.ops.ed.undo() == {"FINISHED"}
        waited("")
        live.assert_shows(store.halls()[0], expected)
    assert ABLATED_CHANNELS not in store.halls()[0]
    for expected in known[1:]:
        assert bpy.ops.ed.redo() == {"FINISHED"}
        waited("")
        live.assert_shows(store.halls()[0], expected)
    assert stored_choices.ablated_channels(store.halls()[0]) == CUT | {"stage1.1:add": [2]}
    act("restore_channels")
    live.assert_shows(store.halls()[0], known[0])


def test_two_halls_of_one_network(hall):
    other = live.built("object")
    actions.ablate(hall, "stem.conv", [1, 4, 7])
    waited(actions.place_input(other, noise=1))
    live.assert_shows(other, recorded("object", client.noise(1)))
    live.assert_shows(hall, recorded("object", ablate=CUT))
    waited(actions.ablate(other, "fc", [0]))
    live.assert_shows(other, recorded("object", client.noise(1), ablate={"fc": [0]}))
    live.assert_shows(hall, recorded("object", ablate=CUT))


def learned(hall, layer: str, concepts: dict[int, str]) -> None:
    """Lets a panel know what its channels detect."""
    rows = [(channel, name, 0.2, "shape") for channel, name in concepts.items()]
    panel_of(hall, layer)[PANEL_CONCEPTS] = json.dumps(rows)


def test_a_concept_is_ablated_in_all_layers_or_in_one(hall):
    learned(hall, "stem.conv", {1: "ring", 4: "ring", 5: "star"})
    learned(hall, "stage3.0:add", {7: "ring"})
    whole = recorded("object")
    assert waited(actions.ablate_concept(hall, "ring")) == "ablated ring: 3 channels of stem.conv, stage3.0:add"
    expected = recorded("object", ablate={"stem.conv": [1, 4], "stage3.0:add": [7]})
    live.assert_shows(hall, expected)
    facts = dict(ablation_facts(hall))
    assert facts["Ablated"] == "3 channels" and facts["Before"].split()[0] == whole.prediction.top[0][1]
    assert facts["Now"].split()[0] == expected.prediction.top[0][1]
    waited(actions.ablate_concept(hall, "star", "stem.conv"))
    assert stored_choices.ablated_channels(hall) == {"stem.conv": [1, 4, 5], "stage3.0:add": [7]}
    assert dict(ablation_facts(hall))["Before"] == facts["Before"]
    waited(actions.place_input(hall, noise=3))
    assert "Before" not in dict(ablation_facts(hall))  # nobody has run the whole network on this input
    waited(actions.restore_channels(hall))
    assert ablation_facts(hall) == []


def test_undo_restores_a_concept(hall):
    learned(hall, "stem.conv", {1: "ring"})
    bpy.ops.ed.undo_push(message="start")
    act("ablate_concept", concept="ring")
    live.assert_shows(store.halls()[0], recorded("object", ablate={"stem.conv": [1]}))
    assert bpy.ops.ed.undo() == {"FINISHED"}
    waited("")
    live.assert_shows(store.halls()[0], recorded("object"))
    assert ablation_facts(store.halls()[0]) == []


def test_wrong_concepts_raise_at_once(hall):
    with pytest.raises(UnknownName, match="no channel that detects 'ring'") as raised:
        actions.ablate_concept(hall, "ring")
    assert "\n" not in str(raised.value)
    learned(hall, "stem.conv", {1: "ring"})
    with pytest.raises(UnknownName, match="did you mean ring"):
        actions.ablate_concept(hall, "rin")
    with pytest.raises(UnknownName, match="of fc that detects 'ring'"):
        actions.ablate_concept(hall, "ring", "fc")
    waited(actions.ablate_concept(hall, "ring"))
    with pytest.raises(InputError, match="all channels that detect ring are ablated already"):
        actions.ablate_concept(hall, "ring")


def test_a_shown_dissection_gives_way_to_activations(hall):
    waited(actions.ask_method(hall, "dissection", {"count": 12}, "objects", layers=["stage3.1:add"]))
    known = concept_channels(hall)
    name = max(known, key=lambda each: len(known[each]["stage3.1:add"]))
    waited(actions.ablate_concept(hall, name))
    live.assert_shows(hall, recorded("object", ablate=known[name]))
    assert concept_channels(hall) == known


def contributed(**arguments) -> dict[str, np.ndarray]:
    with live.bridge() as bridge:
        return live.job_maps(bridge, bridge.start("object", "contribution", **arguments))


def test_a_method_follows(hall):
    waited(actions.place_input(hall, noise=2))
    waited(actions.ask_method(hall, "contribution", {"top": 2}))
    before = live.texels(hall)
    waited(actions.ablate(hall, "stage3.0:add", [0, 1, 2, 3]))
    arguments = {"parameters": {"top": 2}, "inputs": [client.noise(2)]}
    wanted, found = contributed(**arguments, ablate={"stage3.0:add": [0, 1, 2, 3]}), live.texels(hall)
    assert all(np.array_equal(found[id], wanted[id]) for id in wanted)
    assert not found["stage3.0:add"][0].any() and before["stage3.0:add"][0].any()
    waited(actions.restore_channels(hall))
    assert live.equal(live.texels(hall), before)


def test_a_file_keeps_them(hall, tmp_path):
    waited(actions.ablate(hall, "stem.conv", [1, 4, 7]))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "hall.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "hall.blend"))
    hall = store.halls()[0]
    live.assert_shows(hall, recorded("object", ablate=CUT))
    with pytest.raises(InputError, match="place it again first"):
        actions.restore_channels(hall)
    assert stored_choices.ablated_channels(hall) == CUT
    waited(actions.place_input(hall, noise=4))
    live.assert_shows(hall, recorded("object", client.noise(4), ablate=CUT))
    waited(actions.restore_channels(hall))
    live.assert_shows(hall, recorded("object", client.noise(4)))


def test_another_network_is_whole(hall):
    waited(actions.ablate(hall, "stem.conv", [1]))
    actions.follow(hall, "object")
    assert stored_choices.ablated_channels(hall) == {"stem.conv": [1]}
    actions.follow(hall, "Gated")
    assert stored_choices.ablated_channels(hall) == {}


def test_the_answer_of_another_network_is_not_that_before_the_ablation(hall):
    waited(actions.ablate(hall, "stem.conv", [1]))
    waited(actions.restore_channels(hall))
    actions.follow(hall, "twin")
    waited(actions.ablate(hall, "stem.conv", [1]))
    assert "Before" not in dict(ablation_facts(hall))
    actions.follow(hall, "object")
    waited(actions.ablate(hall, "stem.conv", [1]))
    assert "Before" not in dict(ablation_facts(hall))


def test_what_the_bridge_refuses_is_not_kept(hall):
    waited(actions.ablate(hall, "stem.conv", [1]))
    hall[ABLATED_CHANNELS] = '{"nowhere": [1]}'
    actions.place_input(hall, noise=9)
    with pytest.raises(UnknownName, match="no layer 'nowhere'"):
        actions.wait_for_bridge(hall)
    live.settled()
    live.assert_shows(hall, recorded("object", ablate={"stem.conv": [1]}))
    assert stored_choices.ablated_channels(hall) == {"stem.conv": [1]}
    waited(actions.place_input(hall, noise=9))
    live.assert_shows(hall, recorded("object", client.noise(9), ablate={"stem.conv": [1]}))


def test_wrong_names_raise_at_once(hall):
    with pytest.raises(UnknownName, match="no panel of layer 'stem.con'; did you mean stem.conv"):
        actions.ablate(hall, "stem.con", [0])
    for channels, problem in (([12], "there is no channel 12"), ([-1], "there is no channel -1"), ([], "name one")):
        with pytest.raises(InputError, match=f"layer stem.conv has channels 0 to 11; {problem}"):
            actions.ablate(hall, "stem.conv", channels)
    with pytest.raises(SceneError, match="no channel is selected"):
        actions.ablate_selected(hall)
    for text, message in (("1;2", "'1;2' is not a list of channels"), ("9" * 5000, "no layer has a channel above")):
        with pytest.raises(RuntimeError, match=message):
            act("ablate", layer="stem.conv", channels=text)
    with pytest.raises(BridgeError, match="has no network that can be run"):
        actions.ablate(build.create_hall(recorded("object")), "stem.conv", [0])
    assert ABLATED_CHANNELS not in hall
    live.assert_shows(hall, recorded("object"))


class Layout:
    """A layout that records what is drawn."""

    def __init__(self) -> None:
        self.buttons: list[tuple[str, object]] = []
        self.texts: list[str] = []

    def row(self, align: bool = False) -> "Layout":
        return self

    def column(self, align: bool = False) -> "Layout":
        return self

    def split(self, factor: float) -> "Layout":
        return self

    def label(self, text: str, translate: bool = True) -> None:
        self.texts.append(text)

    def operator(self, name: str, text: str = "", icon: str = "", translate: bool = True):
        self.buttons.append((text, button := type("Button", (), {})()))
        return button


def drawn(scene) -> list[tuple[str, object]]:
    layout = Layout()
    ablation_operators.draw_ablation(layout, scene)
    return layout.buttons


def test_the_selected_channel(hall):
    assert drawn(hall) == []
    actions.select(hall, "stem.conv", 4)
    assert [text for text, _ in drawn(hall)] == ["Ablate Channel"]
    act("ablate_selected")
    live.assert_shows(hall, recorded("object", ablate={"stem.conv": [4]}))
    restore, every = drawn(hall)
    assert (restore[0], every[0]) == ("Restore Channel", "Restore All (1)")
    assert (restore[1].layer, restore[1].channels) == ("stem.conv", "4")
    actions.select(hall, "stem.conv", 5)
    assert [text for text, _ in drawn(hall)] == ["Ablate Channel", "Restore All (1)"]
    act("restore_channels", layer="stem.conv", channels="4")
    live.assert_shows(hall, recorded("object"))
    del hall[NETWORK_NAME]
    assert drawn(hall) == []
