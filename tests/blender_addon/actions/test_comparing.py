"""Two halls: their difference, and one beside the other."""

from dataclasses import replace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from mathutils import Matrix, Vector  # noqa: E402

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.actions import comparing  # noqa: E402
from innerwalk.blender_addon.imaging import png  # noqa: E402
from innerwalk.blender_addon.live.session import current  # noqa: E402
from innerwalk.blender_addon.properties import BESIDE_ROLE, INPUT_TAG, NETWORK_NAME, OBJECT_ROLE, PANEL_GRID  # noqa: E402
from innerwalk.blender_addon.scene import panels  # noqa: E402
from innerwalk.blender_addon.scene.hall import assembly as halls  # noqa: E402
from innerwalk.blender_addon.scene.hall import ray_hits, store  # noqa: E402
from innerwalk.blender_addon.scene.hall.build import create_hall  # noqa: E402
from innerwalk.tests.support import live_halls as live  # noqa: E402
from innerwalk.torch_bridge import client, recording  # noqa: E402
from innerwalk.torch_bridge.recording import safetensors  # noqa: E402
from innerwalk.torch_bridge.recording.errors import SceneError, UnknownName  # noqa: E402

SEEDS = {"one": 1, "two": 2}
NETWORKS = {name: live.own("Gated", seed=seed) for name, seed in SEEDS.items()} | {"moody": live.own("Moody")}


@pytest.fixture(scope="module")
def bridge(torch_python, tmp_path_factory):
    with live.registered():
        live.start(torch_python, NETWORKS, {"objects": "concepts:object"}, tmp_path_factory.mktemp("b"))
        with live.bridge() as bridge:
            yield bridge


@pytest.fixture
def pair(bridge):
    """Halls of two networks of one architecture, each with its own noise as input."""
    live.empty_file()
    current().error = ""
    found = live.built("one"), live.built("two")
    for seed, scene in enumerate(found, 1):
        placed(scene, noise=seed)
    bpy.context.window.scene = found[0]
    return found


def placed(scene, **arguments) -> None:
    actions.place_input(scene, **arguments)
    actions.wait_for_bridge(scene)


def noise(bridge, network: str, seed: int) -> dict[str, np.ndarray]:
    return live.maps_of(bridge.record(network, [client.noise(seed)]))


def is_difference(scene, first: dict, second: dict) -> None:
    live.settled()
    found = live.texels(scene)
    assert found.keys() == first.keys()
    assert all(np.array_equal(found[id], first[id] - second[id]) for id in found)
    assert any(texels.any() for texels in found.values())
    peaks = live.peaks(scene)
    assert all(peaks[id].max() == pytest.approx(max(abs(first[id] - second[id]).max(), 1e-12), rel=0.3) for id in found)


def beside(scene) -> list:
    return [found for found in scene.objects if found.get(OBJECT_ROLE) == BESIDE_ROLE]


def test_another_input_stands_beside(pair, bridge, tmp_path):
    hall, count = pair[0], len(store.halls())
    pixels = np.random.default_rng(5).random((16, 16, 3))
    (tmp_path / "other.png").write_bytes(png.encode_8bit(pixels))
    line = actions.compare_input(hall, str(tmp_path / "other.png"))
    assert line == "running one on other.png; its hall will stand beside this one"
    actions.wait_for_bridge()
    (instance,) = beside(hall)
    (other,) = [scene for scene in store.halls() if scene not in pair]
    assert len(store.halls()) == count + 1 and other[NETWORK_NAME] == "one" and bpy.context.window.scene == hall
    assert instance.instance_collection in other.collection.children[:]
    expected = live.maps_of(bridge.record("one", [client.file(str(tmp_path / "other.png"))]))
    assert live.equal(live.texels(other), expected) and not live.equal(live.texels(hall), expected)


def test_another_network_stands_beside_and_shares_the_input(pair, bridge):
    hall = pair[0]
    assert actions.compare_network(hall, "two") == "running two; its hall will stand beside this one"
    actions.wait_for_bridge()
    (other,) = [scene for scene in store.halls() if scene not in pair]
    assert len(beside(hall)) == 1 and live.equal(live.texels(other), noise(bridge, "two", 1)), "of this hall's input"
    placed(hall, noise=7)
    live.settled()
    assert live.equal(live.texels(other), noise(bridge, "two", 7))
    with pytest.raises(UnknownName, match="three"):
        actions.compare_network(hall, "three")


def test_beside_a_hall_without_a_placed_input_a_network_runs_its_own(pair, bridge):
    fresh = live.built("one")
    line = actions.compare_network(fresh, "two")
    assert line == "running two on its own first input; its hall will stand beside this one"
    actions.wait_for_bridge()
    [other] = comparing.halls_beside(fresh)
    assert live.equal(live.texels(other), live.maps_of(bridge.record("two", ())))


def test_the_difference_is_that_of_the_values(pair, bridge):
    hall, other = pair
    assert actions.show_difference(hall, other.name) == f"{hall.name} minus {other.name} in 3 layers"
    is_difference(hall, noise(bridge, "one", 1), noise(bridge, "two", 2))
    assert store.read_appearance(hall).method == "difference"
    live.assert_shows(other, bridge.record("two", [client.noise(2)]))


def test_it_follows_both_halls(pair, bridge):
    hall, other = pair
    actions.show_difference(hall, other.name)
    placed(other, noise=7)
    is_difference(hall, noise(bridge, "one", 1), noise(bridge, "two", 7))
    placed(hall, noise=8)
    is_difference(hall, noise(bridge, "one", 8), noise(bridge, "two", 7))
    assert np.array_equal(live.picture(hall), bridge.record("one", [client.noise(8)]).picture)
    actions.show_activations(hall)
    live.settled()
    live.assert_shows(hall, bridge.record("one", [client.noise(8)]))
    placed(other, noise=3)
    live.assert_shows(hall, bridge.record("one", [client.noise(8)]))


def test_a_method_takes_its_place(pair, bridge):
    hall, other = pair
    actions.show_difference(hall, other.name)
    actions.ask_method(hall, "weights")
    actions.wait_for_bridge(hall)
    found = live.texels(hall)
    placed(other, noise=3)
    live.settled()
    assert live.equal(live.texels(hall), found) and store.read_appearance(hall).method == "weights"
    actions.show_difference(hall, other.name)
    is_difference(hall, noise(bridge, "one", 1), noise(bridge, "two", 3))


def test_a_method_that_is_running_ends(pair, bridge):
    hall, other = pair
    actions.ask_method(hall, "occlusion", {"size": 0.05})
    actions.show_difference(hall, other.name)
    live.until(lambda: not any(request.runs for request in current().requests.values()))
    is_difference(hall, noise(bridge, "one", 1), noise(bridge, "two", 2))


def test_halls_of_files_have_a_difference_too(pair, bridge, tmp_path):
    hall, other = pair
    names = hall.name, other.name
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "two.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "two.blend"))
    hall, other = (bpy.data.scenes[name] for name in names)
    actions.show_difference(hall, other.name)
    is_difference(hall, noise(bridge, "one", 1), noise(bridge, "two", 2))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "two.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "two.blend"))
    hall, other = (bpy.data.scenes[name] for name in names)
    placed(hall, noise=5)
    placed(other, noise=6)
    is_difference(hall, noise(bridge, "one", 5), noise(bridge, "two", 6))


def test_undo_across_a_difference(pair, bridge):
    hall, other = pair
    names = hall.name, other.name
    bpy.ops.ed.undo_push(message="before")
    assert bpy.ops.innerwalk.show_difference("EXEC_DEFAULT", True, other=other.name) == {"FINISHED"}
    live.settled()
    bpy.ops.ed.undo()
    live.settled()
    live.assert_shows(bpy.data.scenes[names[0]], bridge.record("one", [client.noise(1)]))
    bpy.ops.ed.redo()
    is_difference(bpy.data.scenes[names[0]], noise(bridge, "one", 1), noise(bridge, "two", 2))


def test_halls_that_have_nothing_in_common(pair):
    hall, _ = pair
    moody = live.built("moody")
    before = live.texels(hall)
    message = "no layer like those of"
    with pytest.raises(SceneError, match=message):
        actions.show_difference(hall, moody.name)
    assert live.equal(live.texels(hall), before) and store.read_appearance(hall).method == "activations"
    with pytest.raises(UnknownName, match="no hall 'nothing'"):
        actions.show_difference(hall, "nothing")
    with pytest.raises(UnknownName, match="no hall 'nothing'"):
        actions.stand_beside(hall, "nothing")
    with pytest.raises(SceneError, match="choose another hall"):
        actions.stand_beside(hall, hall.name)


def test_what_has_no_like_shows_nothing(pair, bridge):
    hall, other = pair
    bpy.data.objects.remove(panels.panels(other)["b"])
    current().forget()
    for scene in pair:
        del scene[INPUT_TAG]
    assert "in 2 layers" in actions.show_difference(hall, other.name)
    live.settled()
    found, mine, theirs = live.texels(hall), noise(bridge, "one", 1), noise(bridge, "two", 2)
    assert not found["b"].any() and np.array_equal(found["c"], mine["c"] - theirs["c"])


def test_the_other_hall_may_go(pair, bridge):
    hall, other = pair
    actions.show_difference(hall, other.name)
    actions.stand_beside(hall, other.name, share=True)
    live.settled()
    bpy.data.scenes.remove(other)
    placed(hall, noise=4)
    live.assert_shows(hall, bridge.record("one", [client.noise(4)]))


# Side by side


def reach(scene, inside: bool) -> tuple[np.ndarray, np.ndarray]:
    """Least and largest corner of all visible meshes but the floor, of this hall (inside: of the hall beside it)."""
    graph = ray_hits.evaluated_depsgraph(scene)
    found = []
    for instance in graph.object_instances:
        if instance.object.type != "MESH" or instance.object.original.get(OBJECT_ROLE) in ("floor", None):
            continue
        if instance.is_instance != inside or (
            instance.is_instance and instance.parent.original.get(OBJECT_ROLE) != BESIDE_ROLE
        ):
            continue
        corners = [instance.matrix_world @ Vector(corner) for corner in instance.object.bound_box]
        found += [tuple(corner) for corner in corners]
    return np.min(found, 0), np.max(found, 0)


def test_another_hall_stands_beside(pair, bridge):
    hall, other = pair
    before = live.counts()
    assert actions.stand_beside(hall, other.name) == f"{other.name} stands beside {hall.name}"
    (_, right), (left, _) = reach(hall, inside=False), reach(hall, inside=True)
    assert left[0] - right[0] == pytest.approx(comparing.AISLE, abs=0.01), "an aisle between them"
    actions.stand_beside(hall, other.name)
    assert live.counts() == before | {"objects": before["objects"] + 1}, "it is an instance, and only one"
    assert len(panels.panels(hall)) == 3 and len(panels.panels(other)) == 3
    placed(other, noise=5)
    live.assert_shows(other, bridge.record("two", [client.noise(5)]))
    live.assert_shows(hall, bridge.record("one", [client.noise(1)]))
    actions.collapse(hall, actions.collapsible_blocks(hall)[0]) if actions.collapsible_blocks(hall) else None
    assert reach(hall, inside=True)[0][0] == pytest.approx(left[0])
    assert actions.stand_alone(hall) == "removed the other hall"
    assert live.counts() == before and len(panels.panels(other)) == 3


def test_moved_panels_are_not_run_over(pair):
    hall, other = pair
    actions.move(hall, "a", (6, 0, 0))
    actions.move(other, "b", (-9, 0, 0))
    actions.stand_beside(hall, other.name)
    gap = reach(hall, inside=True)[0][0] - reach(hall, inside=False)[1][0]
    assert gap == pytest.approx(comparing.AISLE, abs=0.01)


def test_inputs_are_shared_when_asked_for(pair, bridge):
    hall, other = pair
    actions.stand_beside(hall, other.name, share=True)
    actions.place_input(hall, noise=9)
    for scene, network in ((hall, "one"), (other, "two")):
        actions.wait_for_bridge(scene)
        live.assert_shows(scene, bridge.record(network, [client.noise(9)]))
    placed(other, noise=3)
    live.assert_shows(hall, bridge.record("one", [client.noise(9)]))
    actions.stand_alone(hall)
    placed(hall, noise=8)
    live.assert_shows(other, bridge.record("two", [client.noise(3)]))
    actions.stand_beside(hall, other.name, share=True)
    actions.stand_beside(hall, other.name)
    placed(hall, noise=7)
    live.assert_shows(other, bridge.record("two", [client.noise(3)]))


def test_a_shared_input_needs_two_that_follow(pair, bridge):
    hall, other = pair
    actions.stand_beside(hall, other.name, share=True)
    del other[NETWORK_NAME]
    with pytest.raises(Exception, match=f"{other.name} has no network that can be run"):
        actions.place_input(hall, noise=9)
    actions.wait_for_bridge(hall)
    live.assert_shows(hall, bridge.record("one", [client.noise(1)]))


def test_tiles_of_the_hall_beside_are_picked(pair):
    hall, other = pair
    actions.stand_beside(hall, other.name)
    hall.view_layers[0].update()
    panel, holder = panels.panels(other)["b"], live.of_role(hall, BESIDE_ROLE)
    (columns, rows), cell = panel[PANEL_GRID][:2], panel[PANEL_GRID][2:]
    matrix = Matrix.Translation(holder.location) @ panel.matrix_world
    for channel in range(6):
        row, column = divmod(channel, int(columns))
        spot = matrix @ Vector(((column + 0.5) * cell[0], (rows - row - 0.5) * cell[1], 0))
        normal = (matrix.to_3x3() @ Vector((0, 0, 1))).normalized()
        hit = ray_hits.pick(hall, ray_hits.evaluated_depsgraph(hall), spot + 0.3 * normal, -normal)
        assert (hit.role, hit.layer, hit.channel, hit.object) == ("panel", "b", channel, panel.name)


def test_a_picture_goes_to_the_hall_whose_frame_is_pointed_at(pair, bridge):
    hall, other = pair
    actions.stand_beside(hall, other.name)
    actions.draw_shelf(hall, "objects", seed=1)
    actions.wait_for_bridge()
    hall.view_layers[0].update()
    holder, index = live.of_role(other, "input"), actions.shelved(hall)["indices"][2]
    beside = Matrix.Translation(live.of_role(hall, BESIDE_ROLE).location)
    for matrix, changed, kept, network in ((beside, other, hall, "two"), (Matrix(), hall, other, "one")):
        frame = holder if changed == other else live.of_role(hall, "input")
        middle = sum((Vector(corner) for corner in frame.bound_box), Vector()) / 8
        normal = (matrix @ frame.matrix_world).to_3x3() @ Vector((0, 0, 1))
        before = live.texels(kept)
        actions.hold(hall, 2)
        hall.view_layers[0].update()
        line = actions.pick(hall, matrix @ frame.matrix_world @ middle + 0.5 * normal, -normal)
        assert line.startswith(f"running {network} on objects") and hall["innerwalk_held"] == -1
        actions.wait_for_bridge(changed)
        live.assert_shows(changed, bridge.record(network, [client.item("objects", index)]))
        assert live.equal(live.texels(kept), before)


def test_a_picture_is_placed_into_a_hall_by_its_name(pair, bridge):
    hall, other = pair
    assert bpy.ops.innerwalk.place_input(noise=6, hall=other.name) == {"FINISHED"}
    actions.wait_for_bridge(other)
    live.assert_shows(other, bridge.record("two", [client.noise(6)]))
    live.assert_shows(hall, bridge.record("one", [client.noise(1)]))
    with pytest.raises(UnknownName, match="no hall 'three'"):
        actions.place_input(hall, noise=6, hall="three")


def test_two_halls_do_not_stand_beside_each_other_for_ever(pair):
    hall, other = pair
    actions.stand_beside(hall, other.name)
    with pytest.raises(SceneError, match="remove that hall from"):
        actions.stand_beside(other, hall.name)
    assert halls.hall_collection(other).objects and not any(
        object.get(OBJECT_ROLE) == BESIDE_ROLE for object in other.objects
    )


# Without a bridge, in the background


def test_the_difference_of_two_recordings_is_there_at_once(empty_scene, recorded, tmp_path):
    first = recording.load(recorded)
    second = replace(
        first, all_maps={key: replace(maps, texels=3 * maps.texels) for key, maps in first.all_maps.items()}
    )
    hall, other = create_hall(first), create_hall(second)
    before = live.texels(hall)
    actions.show_difference(hall, other.name)
    found = live.texels(hall)
    assert all(np.allclose(found[id], -2 * before[id]) for id in before)
    actions.export_layer(hall, "a", tmp_path)
    exported = safetensors.open_arrays(next(tmp_path.rglob("values.safetensors")))[0]["a"]
    assert np.allclose(exported, -2 * first.maps("a").data)
    actions.show_activations(hall)
    assert live.equal(live.texels(hall), before)
