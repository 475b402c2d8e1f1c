"""Halls of a running bridge: every panel, peak, picture and text is that of the last input."""

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.live import bridge_events, timer  # noqa: E402
from innerwalk.blender_addon.live.bridge_connection import Event  # noqa: E402
from innerwalk.blender_addon.live.session import current  # noqa: E402
from innerwalk.blender_addon.properties import INPUT_TAG, PANEL_SHOWN_LAYER  # noqa: E402
from innerwalk.blender_addon.scene import panels  # noqa: E402
from innerwalk.blender_addon.scene.hall import build, store  # noqa: E402
from innerwalk.tests.support import live_halls as live  # noqa: E402
from innerwalk.torch_bridge import client  # noqa: E402
from innerwalk.torch_bridge.recording import Recording  # noqa: E402
from innerwalk.torch_bridge.recording.errors import BridgeError, InnerwalkError, InputError, UnknownName  # noqa: E402

NETWORKS = {"object": live.OBJECT} | {name: live.own(name) for name in ("Gated", "Moody", "Slow")}


@pytest.fixture(scope="module")
def folder(torch_python, tmp_path_factory) -> Path:
    """The folder that the bridge of these tests runs in."""
    folder = tmp_path_factory.mktemp("bridge")
    with live.registered():
        live.start(torch_python, NETWORKS, {"objects": "concepts:object"}, folder)
        yield folder


@pytest.fixture
def file(folder) -> Path:
    """Open an empty Blender file; returns the bridge's folder, without files that make its networks wait."""
    (folder / "hold").unlink(missing_ok=True)
    (folder / "reached").unlink(missing_ok=True)
    live.empty_file()
    current().error = ""
    yield folder
    (folder / "hold").unlink(missing_ok=True)
    if current().state == "ready":
        live.until(lambda: not current().link.busy)


@pytest.fixture
def hall(file):
    return live.built("object")


def jobs() -> list[dict]:
    """What the bridge reported of all jobs, oldest first."""
    return [request.job for request in current().requests.values() if request.job]


def recorded(network: str, *inputs) -> Recording:
    with live.bridge() as bridge:
        return bridge.record(network, inputs)


def placed(scene, **arguments) -> None:
    actions.place_input(scene, **arguments)
    actions.wait_for_bridge(scene)


# The first hall


def test_a_hall_holds_what_the_bridge_records(hall):
    expected = recorded("object")
    live.assert_shows(hall, expected)
    assert {panel[PANEL_SHOWN_LAYER] for panel in panels.panels(hall).values()} == live.texels(hall).keys()
    assert "stem.norm" in live.texels(hall) and "stem.conv" in panels.panels(hall)
    assert expected.prediction.top[0][1] == "ring"
    assert bpy.context.window.scene == hall and len(store.halls()) == 1


def test_panels_that_wait_outside_the_scene_follow(hall):
    block = actions.collapsible_blocks(hall)[0]
    actions.collapse(hall, block)
    assert store.collapsed_panels(hall)
    placed(hall, noise=3)
    expected = recorded("object", client.noise(3))
    live.assert_shows(hall, expected)
    actions.expand(hall, "all")
    assert not store.collapsed_panels(hall)
    live.assert_shows(hall, expected)
    placed(hall, noise=4)
    live.assert_shows(hall, recorded("object", client.noise(4)))


def test_the_same_network_twice_at_once_gives_two_halls(file):
    actions.build_hall("Gated")
    actions.build_hall("Gated")
    assert actions.bridge.awaited_networks() == ["Gated", "Gated"]
    actions.wait_for_bridge()
    assert len(store.halls()) == 2 and actions.bridge.awaited_networks() == []


def test_unknown_names_raise_at_once(hall):
    with pytest.raises(UnknownName, match="no network of the bridge 'objet'; did you mean object"):
        actions.build_hall("objet")
    with pytest.raises(UnknownName, match="no method 'occlude'; did you mean occlusion"):
        actions.ask_method(hall, "occlude")
    with pytest.raises(UnknownName, match="no panel of layer"):
        actions.place_input(hall, layer="nowhere", channel=0)
    with pytest.raises(UnknownName, match="no channel of stem.norm '99'; there are 0 to 11"):
        actions.place_input(hall, layer="stem.conv", channel=99)
    with pytest.raises(InputError, match="name one input"):
        actions.place_input(hall)
    with pytest.raises(InputError, match="name one input"):
        actions.place_input(hall, noise=1, data="objects")
    with pytest.raises(InputError, match=r"gone\.png: can't be read \(no such file"):
        actions.place_input(hall, filepath="/nowhere/gone.png")
    with pytest.raises(BridgeError, match="has no network that can be run"):
        actions.place_input(build.create_hall(recorded("Slow")), noise=1)


# Inputs of every kind


def written(path: Path, size=(50, 38)) -> str:
    pixels = np.random.default_rng(5).integers(0, 256, (size[1], size[0], 3)).astype(np.uint8)
    if path.suffix == ".npy":
        np.save(path, np.random.default_rng(6).normal(size=(3, 64, 64)).astype(np.float32))
    else:
        Image.fromarray(pixels).save(path)
    return str(path)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.npy"])
def test_a_file(hall, tmp_path, name):
    path = written(tmp_path / name)
    placed(hall, filepath=path)
    expected = recorded("object", client.file(path))
    live.assert_shows(hall, expected)
    assert expected.input_name == name


def test_the_answers_board_is_the_one_a_new_hall_would_have(hall):
    for seed in (1, 2):
        placed(hall, noise=seed)
        live.assert_shows(hall, recorded("object", client.noise(seed)))
        fresh = build.create_hall(recorded("object", client.noise(seed)))
        for role in ("answer board", "input frame"):
            assert np.allclose(live.points(hall, role), live.points(fresh, role), atol=1e-5)
        assert np.allclose(
            live.of_role(hall, "answer board").matrix_basis, live.of_role(fresh, "answer board").matrix_basis
        )


def test_pictures_of_a_data_set(hall):
    for index in (5, 2):
        placed(hall, data="objects", index=index)
        live.assert_shows(hall, recorded("object", client.item("objects", index)))


def test_a_pictures_size_may_change(file, tmp_path):
    hall = live.built("Moody")
    for size in ((50, 38), (30, 60), (30, 60)):
        path = written(tmp_path / f"{size[0]}.png", size)
        placed(hall, filepath=path)
        live.assert_shows(hall, recorded("Moody", client.file(path)))


def test_a_tiles_picture_as_input(hall):
    placed(hall, noise=7)
    before = recorded("object", client.noise(7))
    recorded("object", client.noise(8))  # somebody else asks: the tile's picture is still that of the tile
    placed(hall, layer="stem.conv", channel=1)
    plane = before.maps("stem.norm").data[1]
    grey = ((plane - plane.min()) / (plane.max() - plane.min()) * 255 + 0.5).astype(np.uint8)
    live.assert_shows(hall, recorded("object", client.pixels(grey, "stem.norm, channel 1, activations")))


def test_a_moved_frame_stays_where_it_is(hall, tmp_path):
    frame, board = live.of_role(hall, "input frame"), live.of_role(hall, "answer board")
    for object in (frame, live.of_role(hall, "input"), board):
        object.location.x += 3
    matrices = board.matrix_basis.copy(), frame.matrix_basis.copy()
    placed(hall, noise=1)
    placed(hall, filepath=written(tmp_path / "wide.png"))
    assert np.allclose(live.of_role(hall, "answer board").matrix_basis, matrices[0])
    assert live.of_role(hall, "input frame").matrix_basis.translation.x == pytest.approx(
        matrices[1].translation.x, abs=1e-5
    )


# The newest input wins


def test_of_two_quick_inputs_the_last_is_shown(hall):
    for seed in range(1, 6):
        actions.place_input(hall, noise=seed)
    actions.wait_for_bridge(hall)
    live.assert_shows(hall, recorded("object", client.noise(5)))
    live.until(lambda: not current().link.busy)


def test_late_answers_of_an_earlier_input_are_not_shown(hall):
    """Answers may arrive in any order."""
    first, second = (recorded("object", client.noise(seed)) for seed in (1, 2))
    session, tags = current(), []
    for _ in range(2):
        actions.place_input(hall, noise=9)
        tags.append(hall[INPUT_TAG])
    actions.wait_for_bridge(hall)
    maps = [[*expected.all_maps.values()] for expected in (first, second)]
    half = len(maps[0]) // 2
    events = [
        *((1, layer_maps) for layer_maps in maps[1][:half]),
        *((0, layer_maps) for layer_maps in maps[0]),
        *((1, layer_maps) for layer_maps in maps[1][half:]),
    ]
    for which, layer_maps in events:
        bridge_events.handle(session, Event("maps", tags[which], layer_maps))
    bridge_events.handle(session, Event("recording", tags[1], second))
    bridge_events.handle(session, Event("recording", tags[0], first))
    live.settled()
    live.assert_shows(hall, second)


def test_panels_fill_while_the_network_still_runs(file):
    hall = live.built("Gated")
    known, before = recorded("Gated", client.noise(4)), live.texels(hall)
    (file / "hold").write_text("")
    actions.place_input(hall, noise=4)
    layers = list(live.maps_of(known))
    assert len(layers) == 3
    live.until(lambda: np.array_equal(live.texels(hall)[layers[1]], live.maps_of(known)[layers[1]]))
    now = live.texels(hall)
    assert np.array_equal(now[layers[0]], live.maps_of(known)[layers[0]])
    assert np.array_equal(now[layers[2]], before[layers[2]]), "it is not there yet"
    (file / "hold").unlink()
    actions.wait_for_bridge(hall)
    live.assert_shows(hall, known)


def test_two_halls_of_one_network_are_independent(file):
    first, second = live.built("Gated"), live.built("Gated")
    actions.place_input(first, noise=1)
    actions.place_input(second, noise=2)
    actions.wait_for_bridge(first)
    actions.wait_for_bridge(second)
    live.assert_shows(first, recorded("Gated", client.noise(1)))
    live.assert_shows(second, recorded("Gated", client.noise(2)))
    actions.ask_method(first, "occlusion", {"size": 0.4, "stride": 0.8})
    actions.wait_for_bridge(first)
    live.assert_shows(second, recorded("Gated", client.noise(2)))
    wanted = method_maps("Gated", "occlusion", {"size": 0.4, "stride": 0.8}, client.noise(1))
    assert live.equal(live.texels(first), wanted), "about its own input, not about what the network saw last"


def test_one_tick_shows_one_event_at_most(hall):
    expected, session = recorded("object", client.noise(1)), current()
    actions.place_input(hall, noise=1)
    timer.wait(lambda: session.hall(hall.session_uid).shown == hall[INPUT_TAG], 60)
    session.queue_results(hall[INPUT_TAG])
    assert len(session._queue) == len(expected.all_maps) + 1
    while before := len(session._queue):
        timer.pump(1e-6)
        assert before - len(session._queue) in (-1, 0, 1), "the last but two becomes two"
    assert not timer.pump(0.0)


@pytest.mark.parametrize(("shared", "ticks"), [(math.inf, 1), (1e-4, 2)])
def test_an_answer_is_shown_in_one_tick_where_that_is_fast(hall, monkeypatch, shared, ticks):
    monkeypatch.setattr(timer, "SHARED_SECONDS", shared)
    session = current()
    actions.place_input(hall, noise=2)
    timer.wait(lambda: session.hall(hall.session_uid).shown == hall[INPUT_TAG], 60)
    session.hall(hall.session_uid).shown = ""
    session.queue_results(hall[INPUT_TAG])
    for tick in range(ticks):
        assert session.hall(hall.session_uid).shown == "", tick
        timer.pump(60)
    assert session.hall(hall.session_uid).shown == hall[INPUT_TAG]


def test_a_fast_answer_is_shown_before_the_next_redraw(hall):
    actions.place_input(hall, noise=3)
    timer.show_fast_answer(60)
    assert current().hall(hall.session_uid).shown == hall[INPUT_TAG]


# What goes wrong


def test_a_hall_that_follows_a_foreign_network_says_so(file):
    hall = live.built("Moody")
    actions.follow(hall, "object")
    actions.place_input(hall, noise=1)
    with pytest.raises(InnerwalkError, match=r"isn't the network of this hall: \d+ panels? differ"):
        actions.wait_for_bridge(hall)
    live.settled()


def dark(folder: Path, value: int, name: str) -> str:
    Image.fromarray(np.full((16, 16, 3), value, np.uint8)).save(folder / name)
    return str(folder / name)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"data": "objets"}, r"no data set 'objets'; did you mean objects"),
        ({"data": "objects", "index": 10**9}, "index is 1000000000; a whole number"),
        ({"filepath": "broken.png"}, "broken.png"),
        ({"filepath": "dark.png"}, "too dark"),
        ({"filepath": "bright.png"}, "Moody took another path with bright.png: 1 panel, first b, not reached"),
    ],
)
def test_a_hall_goes_on_after_an_input_that_fails(file, tmp_path, arguments, message):
    hall = live.built("Moody")
    grey = dark(tmp_path, 128, "grey.png")
    placed(hall, filepath=grey)
    before = recorded("Moody", client.file(grey))
    dark(tmp_path, 0, "dark.png"), dark(tmp_path, 255, "bright.png")
    (tmp_path / "broken.png").write_bytes(b"no picture at all")
    if "filepath" in arguments:
        arguments = {"filepath": str(tmp_path / arguments["filepath"])}
    actions.place_input(hall, **arguments)
    with pytest.raises(InnerwalkError, match=message):
        actions.wait_for_bridge(hall)
    assert "\n" not in current().error
    live.settled()
    live.assert_shows(hall, before)
    placed(hall, noise=3)
    assert current().error == ""
    live.assert_shows(hall, recorded("Moody", client.noise(3)))


def test_objects_that_were_deleted_cause_no_error(hall, tmp_path):
    actions.draw_shelf(hall, "objects")
    actions.wait_for_bridge()
    gone = [panels.panels(hall)["stem.conv"], live.of_role(hall, "input frame"), live.of_role(hall, "answer board")]
    gone += [object for object in hall.objects if object.get("innerwalk_role") in ("shelf", "title", "floor")]
    bpy.data.batch_remove(gone)
    first, second = list(panels.panels(hall).values())[:2]
    first.modifiers.clear()
    second.data.materials.clear()
    expected = recorded("object", client.noise(2))
    placed(hall, noise=2)
    found, wanted = live.texels_that_are_there(hall), live.maps_of(expected)
    assert "stem.norm" not in found and len(found) >= len(wanted) - 2
    assert all(np.array_equal(found[id], wanted[id]) for id in found)
    assert np.array_equal(live.picture(hall), expected.picture)
    bpy.data.objects.remove(live.of_role(hall, "input"))
    placed(hall, filepath=written(tmp_path / "a.png"))
    actions.draw_shelf(hall, "objects", seed=1)
    actions.wait_for_bridge()
    assert store.read_description(hall).input_name == "a.png"


# Methods


def method_maps(network: str, method: str, parameters: dict, *inputs, data: str = "") -> dict[str, np.ndarray]:
    """Maps that a plain client gets for a method, by layer."""
    with live.bridge() as bridge:
        return live.job_maps(bridge, bridge.start(network, method, parameters=parameters, inputs=inputs, data=data))


@pytest.mark.parametrize(
    ("method", "parameters", "data"),
    [
        ("occlusion", {"size": 0.4, "stride": 0.8}, ""),
        ("average", {"count": 5, "seed": 2}, "objects"),
        ("weights", {}, ""),
    ],
)
def test_a_method_and_back(hall, method, parameters, data):
    placed(hall, noise=1)
    before = live.texels(hall)
    assert "running" in actions.ask_method(hall, method, parameters, data)
    actions.wait_for_bridge(hall)
    wanted, found = method_maps("object", method, parameters, client.noise(1), data=data), live.texels(hall)
    assert len(wanted) >= 12
    for layer in found:
        assert np.array_equal(found[layer], wanted[layer]) if layer in wanted else not found[layer].any(), layer
    recording = store.read_recording(hall)
    assert store.read_appearance(hall).method == method and {how for _, how in recording.all_maps} == {method}
    actions.show_activations(hall)
    actions.wait_for_bridge(hall)
    assert live.equal(live.texels(hall), before) and store.read_appearance(hall).method == "activations"
    live.assert_shows(hall, recorded("object", client.noise(1)))


def test_partial_results_and_cancel(file):
    hall = live.built("Gated")
    placed(hall, noise=2)
    whole = method_maps("Gated", "occlusion", {"size": 0.3, "stride": 0.25}, client.noise(2))
    before = live.texels(hall)
    (file / "hold").write_text("6")  # the way, the whole picture, and four batches of 16 places
    actions.ask_method(hall, "occlusion", {"size": 0.31, "stride": 0.25})
    live.until(lambda: (file / "reached").exists() and current().job(hall["innerwalk_work"])["step"] == 5)
    live.settled()
    job, found = current().job(hall["innerwalk_work"]), live.texels(hall)
    assert (job["state"], job["told"]) == ("running", "place 64 of 144")
    assert all(texels.shape == whole[id].shape and not texels[:, -1].any() for id, texels in found.items())
    assert all(found[id][:, 0].any() for id in ("norm", "b", "c"))
    assert "will stop at its next step" in actions.cancel_method(hall)
    (file / "hold").unlink()
    actions.wait_for_bridge(hall)
    assert current().job(hall["innerwalk_work"])["state"] == "cancelled"
    after = live.texels(hall)
    assert all(np.array_equal(after[id][:, 0], found[id][:, 0]) for id in found), "what it has shown stays"
    assert not any(texels[:, -1].any() for texels in after.values())
    assert actions.cancel_method(hall) == "no job is running"
    actions.show_activations(hall)
    live.settled()
    assert live.equal(live.texels(hall), before)


def test_a_job_that_is_cancelled_at_once_ends(file):
    hall = live.built("Slow")
    placed(hall, noise=2)
    actions.ask_method(hall, "occlusion", {"size": 0.06, "stride": 0.5})
    actions.cancel_method(hall)
    actions.wait_for_bridge(hall)
    live.settled()
    assert jobs()[-1]["state"] == "cancelled"
    live.assert_shows(hall, recorded("Slow", client.noise(2)))


def test_a_new_input_asks_a_method_about_inputs_again(hall):
    placed(hall, noise=1)
    actions.ask_method(hall, "occlusion", {"size": 0.4, "stride": 0.8})
    actions.place_input(hall, noise=2)  # while the job runs
    live.until(lambda: current().hall(hall.session_uid).shown == hall[INPUT_TAG])
    actions.wait_for_bridge(hall)
    assert live.equal(
        live.texels(hall), method_maps("object", "occlusion", {"size": 0.4, "stride": 0.8}, client.noise(2))
    )
    assert store.read_description(hall).input_name == "noise:2" and store.read_appearance(hall).method == "occlusion"
    actions.show_activations(hall)
    live.settled()
    live.assert_shows(hall, recorded("object", client.noise(2)))


def test_a_new_input_leaves_weights_alone(hall):
    actions.ask_method(hall, "weights")
    actions.wait_for_bridge(hall)
    before, count = live.texels(hall), len(jobs())
    placed(hall, noise=6)
    expected = recorded("object", client.noise(6))
    assert live.equal(live.texels(hall), before) and len(jobs()) == count
    assert np.array_equal(live.picture(hall), expected.picture)
    actions.ask_method(hall, "activations")
    live.settled()
    live.assert_shows(hall, expected)


def test_a_method_that_is_asked_wrongly(hall):
    placed(hall, noise=1)
    for method, parameters, message in (
        ("occlusion", {"size": 2.0}, "size"),
        ("average", {}, "average needs a data set"),
        ("occlusion", {"patch": 3}, "patch"),
    ):
        actions.ask_method(hall, method, parameters)
        with pytest.raises(InnerwalkError, match=message):
            actions.wait_for_bridge(hall)
        live.settled()
        live.assert_shows(hall, recorded("object", client.noise(1)))
        assert store.read_appearance(hall).method == "activations"
