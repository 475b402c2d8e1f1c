"""A walk without a headset: hands that a test moves point, pick, carry, choose from the menu, go to places."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from mathutils import Matrix, Vector  # noqa: E402

import innerwalk  # noqa: E402
from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.live.session import current  # noqa: E402
from innerwalk.blender_addon.plans.number_text import format_number  # noqa: E402
from innerwalk.blender_addon.scene.hall import store  # noqa: E402
from innerwalk.blender_addon.scene.hall.pick import pixel_of  # noqa: E402
from innerwalk.blender_addon.scene.materials import look  # noqa: E402
from innerwalk.blender_addon.scene.panels import (  # noqa: E402
    panel_of,
    size_of,
    values,
    world_of,
)
from innerwalk.blender_addon.vr import grips, hand_actions, walk  # noqa: E402
from innerwalk.blender_addon.vr.display import card_content, menu  # noqa: E402
from innerwalk.blender_addon.vr.drawing import hands_drawing  # noqa: E402
from innerwalk.blender_addon.vr.headset import headset_walk, saved_settings, xr  # noqa: E402
from innerwalk.torch_bridge.recording.errors import SceneError, UnknownName  # noqa: E402

LAYER = "stem.conv"


class Body:
    """Stands where it is told to."""

    def __init__(self) -> None:
        self.pose = np.array(Matrix.Translation((0, -1.2, 1.65)) @ Matrix.Rotation(np.pi / 2, 4, "X"))
        self.stood: list = []

    def eye(self):
        return self.pose

    def stand(self, place, yaw=None):
        self.stood.append((tuple(place), yaw))
        self.pose[:2, 3] = place[:2]

    def turn(self, by):
        self.stood.append(by)


@pytest.fixture
def scene():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    innerwalk.register()
    current().error = ""
    actions.open_demo()
    (hall,) = store.halls()
    bpy.context.window.scene = hall
    yield hall
    innerwalk.unregister()


@pytest.fixture
def goes_on(scene):
    return walk.Walk(scene, Body(), ("left", "right"))


def towards(place, away=1.0, normal=(0, -1, 0.0)) -> np.ndarray:
    """The pose of a hand that points at a place from so far."""
    at = np.asarray(place, float) + np.asarray(normal, float) * away
    return np.array(Matrix.Translation(at) @ (-Vector(normal)).to_track_quat("-Z", "Y").to_matrix().to_4x4())


def tile(scene, channel, layer=LAYER):
    """World place and normal of a tile's middle."""
    panel = panel_of(scene, layer)
    columns, rows, width, height = panel["innerwalk_grid"]
    row, column = divmod(channel, int(columns))
    at = world_of(panel)
    normal = (at.to_quaternion() @ Vector((0, 0, 1))).normalized()
    return at @ Vector(((column + 0.5) * width, (rows - row - 0.5) * height, 0)), normal


def pointed(goes_on, name, channel, layer=LAYER):
    place, normal = tile(goes_on.scene, channel, layer)
    hand = goes_on.hands[name]
    goes_on.point(hand, towards(place, 0.8, normal))
    return hand


@pytest.mark.parametrize("name", ["left", "right"])
@pytest.mark.parametrize("moved", [False, True])
def test_a_tile_is_picked_wherever_its_panel_hangs(goes_on, scene, name, moved):
    if moved:
        panel = panel_of(scene, LAYER)
        panel.matrix_world = (
            Matrix.Translation((2, 3, 1)) @ Matrix.Rotation(0.7, 4, (1, 2, 3)) @ Matrix.Scale(1.7, 4) @ world_of(panel)
        )
    hand = pointed(goes_on, name, 5)
    assert (hand.hit.layer, hand.hit.channel) == (LAYER, 5)
    assert hand.far == pytest.approx(0.8, abs=1e-3)
    framed = hands_drawing.outline_of(scene, hand.hit)
    assert np.allclose(framed.at @ Vector(np.mean(framed.points, 0).tolist()), tile(scene, 5)[0], atol=0.02)
    row, column = pixel_of(hand.hit)
    assert {row, column} <= {31, 32}
    value = format_number(float(values.value_at(panel_of(scene, LAYER), 5, row, column)))
    assert hands_drawing.name_of(scene, hand.hit) == f"{LAYER} · 5 · ({column}, {row}) = {value}"
    hand_actions.act(goes_on, hand, "pick")
    assert tuple(actions.selected(scene)) == (LAYER, 5)
    assert goes_on.card == name


def test_the_floor_is_gone_to_and_nothing_else_is(goes_on, scene):
    hand = goes_on.hands["left"]
    goes_on.point(hand, towards((0.3, 1.0, 0.0), 2.0, Vector((0, -0.5, 0.8)).normalized()))
    hand_actions.act(goes_on, hand, "pick")
    ((place, yaw),) = goes_on.body.stood
    assert place == pytest.approx((0.3, 1.0), abs=0.01) and yaw is None
    goes_on.point(hand, towards((0.3, 100.0, 0.0), 90.0, Vector((0, -1, 0.1)).normalized()))
    hand_actions.act(goes_on, hand, "pick")
    goes_on.point(hand, towards((0.0, 0.0, 30.0), 1.0, (0, 0, -1)))  # the sky
    hand_actions.act(goes_on, hand, "pick")
    pointed(goes_on, "left", 0)
    hand_actions.act(goes_on, hand, "pick")
    assert len(goes_on.body.stood) == 1


def test_a_panel_goes_where_the_hand_goes(goes_on, scene):
    before, hand = world_of(panel_of(scene, LAYER)), pointed(goes_on, "right", 3)
    start = hand.pose.copy()
    hand_actions.act(goes_on, hand, "grip")
    now = np.array(Matrix.Translation((0.4, -0.2, 0.3)) @ Matrix.Rotation(0.5, 4, "Z")) @ start
    goes_on.point(hand, now)
    hand_actions.carry(goes_on, scene)
    wanted = now @ np.linalg.inv(start) @ np.array(before)
    assert np.allclose(np.array(world_of(panel_of(scene, LAYER))), wanted, atol=1e-5)
    hand_actions.act(goes_on, hand, "let_go")
    assert hand.grip is None and "moved" in goes_on.said
    goes_on.point(hand, start)
    hand_actions.carry(goes_on, scene)
    assert np.allclose(np.array(world_of(panel_of(scene, LAYER))), wanted, atol=1e-5)


def test_two_hands_scale_what_both_hold_and_one_goes_on_holding_it(goes_on, scene):
    place, normal = tile(scene, 3)
    left, right = pointed(goes_on, "left", 3), pointed(goes_on, "right", 3)
    hand_actions.act(goes_on, left, "grip")
    goes_on.point(right, towards(np.array(place) + (0.5, 0.5, 0), 3.0, normal))
    hand_actions.act(goes_on, right, "grip")
    between = right.place - left.place
    moved = left.pose.copy()
    moved[:3, 3] -= between
    goes_on.point(left, moved)
    hand_actions.carry(goes_on, scene)
    assert world_of(panel_of(scene, LAYER)).to_scale().x == pytest.approx(2.0, abs=1e-4)
    held = np.array(world_of(panel_of(scene, LAYER)))
    hand_actions.act(goes_on, left, "let_go")
    hand_actions.carry(goes_on, scene)
    assert right.grip is not None and np.allclose(np.array(world_of(panel_of(scene, LAYER))), held, atol=1e-5)
    hand_actions.act(goes_on, right, "let_go")
    assert size_of(panel_of(scene, LAYER))[0] > 0 and right.grip is None


def test_a_panel_that_is_gone_is_let_go(goes_on, scene):
    hand = pointed(goes_on, "left", 3)
    hand_actions.act(goes_on, hand, "grip")
    bpy.data.objects.remove(panel_of(scene, LAYER))
    hand_actions.carry(goes_on, scene)
    assert hand.grip is None and goes_on.failed and LAYER in goes_on.said
    hand_actions.act(goes_on, hand, "let_go")


def test_the_wheel_scales_about_what_is_held(goes_on, scene):
    hand = pointed(goes_on, "left", 4)
    hand_actions.act(goes_on, hand, "grip")
    hand_actions.grow(hand, 1.5)
    hand_actions.carry(goes_on, scene)
    assert world_of(panel_of(scene, LAYER)).to_scale().x == pytest.approx(1.5)
    assert np.allclose(tile(scene, 4)[0], hand.place + hand.along * hand.far, atol=0.02)


def test_nothing_is_gripped_but_panels(goes_on, scene):
    hand = goes_on.hands["left"]
    goes_on.point(hand, towards((0.3, 1.0, 0.0), 2.0, Vector((0, -0.5, 0.8)).normalized()))
    hand_actions.act(goes_on, hand, "grip")
    assert hand.grip is None
    hand_actions.act(goes_on, hand, "let_go")
    hand_actions.carry(goes_on, scene)


def at_entry(goes_on, name, label):
    board = goes_on.board
    index = next(k for k, one in enumerate(board.page.items) if one.label.startswith(label))
    (left, right), (low, high) = menu.arrange(board.page).boxes[index]
    place = (board.at @ [(left + right) / 2, (low + high) / 2, 0, 1])[:3]
    hand = goes_on.hands[name]
    goes_on.point(hand, towards(place, 0.6, board.at[:3, 2]))
    assert hand.item == index
    return hand


def test_the_menu_opens_before_the_eye_and_a_ray_chooses(goes_on, scene):
    hand_actions.act(goes_on, goes_on.hands["left"], "menu")
    middle = goes_on.board.at @ [*(np.array(menu.size(goes_on.board.page)) / 2), 0, 1]
    assert np.allclose(middle[:3], (0, -1.2 + hand_actions.AHEAD, 1.65 - hand_actions.LOWER), atol=1e-6)
    hand_actions.act(goes_on, at_entry(goes_on, "right", "Colours"), "pick")
    assert goes_on.board.name == "colours"
    hand_actions.act(goes_on, at_entry(goes_on, "left", "Ember"), "pick")
    assert look.told(scene)["ramp"] == "ember"
    assert any(one.on and one.label.startswith("Ember") for one in goes_on.board.page.items)
    hand_actions.act(goes_on, at_entry(goes_on, "left", "Back"), "pick")
    hand_actions.act(goes_on, at_entry(goes_on, "left", "Leave"), "pick")
    assert goes_on.leaves and goes_on.board is None


def test_a_menu_before_a_panel_takes_the_ray(goes_on, scene):
    hand = pointed(goes_on, "left", 3)
    hand_actions.act(goes_on, hand, "menu")
    width, height = menu.size(goes_on.board.page)
    at = grips.facing(hand.place + hand.along * 0.4, hand.place, aside=(-width / 2, -height / 2, 0))
    goes_on.board.at = np.array(at)
    goes_on.point(hand, hand.pose)
    assert hand.at_board and hand.hit is None and hand.far == pytest.approx(0.4)
    hand_actions.act(goes_on, hand, "menu")
    goes_on.point(hand, hand.pose)
    assert hand.hit.layer == LAYER


def test_an_entry_that_cannot_be_chosen_does_nothing(goes_on, scene):
    hand_actions.act(goes_on, goes_on.hands["left"], "menu")
    off = next(one.label for one in goes_on.board.page.items if not one.enabled)
    hand_actions.act(goes_on, at_entry(goes_on, "left", off), "pick")
    assert goes_on.board.name == "root" and goes_on.said == ""


def test_an_export_goes_on_a_step_at_a_time(goes_on, scene, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "hall.blend"))
    hand_actions.act(goes_on, goes_on.hands["left"], "menu")
    hand_actions.act(goes_on, at_entry(goes_on, "left", "Export"), "pick")
    steps = 0
    while goes_on.work is not None:
        hand_actions.work(goes_on)
        steps += 1
    assert steps > 2 and "23 layers" in goes_on.said
    assert len(list((tmp_path / "concepts_object/channels").iterdir())) == 23


def test_places_follow_each_other_and_begin_again(goes_on):
    hand = goes_on.hands["left"]
    hand_actions.act(goes_on, hand, "previous_landmark")
    assert goes_on.said == "Answer"
    hand_actions.act(goes_on, hand, "next_landmark")
    place, yaw = goes_on.body.stood[-1]
    assert goes_on.said == "Entrance" and place == (0.0, -1.2) and yaw == 0.0
    hand_actions.act(goes_on, hand, "turn_left")
    assert goes_on.body.stood[-1] == pytest.approx(np.radians(30))


def test_places_are_where_the_hall_has_them_after_it_was_collapsed(goes_on, scene):
    before = goes_on.places[-1].place
    hand_actions.act(goes_on, goes_on.hands["left"], "menu")
    hand_actions.act(goes_on, at_entry(goes_on, "left", "Collapse"), "pick")
    assert goes_on.places[-1].place[1] < before[1] - 1
    hand_actions.act(goes_on, at_entry(goes_on, "left", "Places"), "pick")
    hand_actions.act(goes_on, at_entry(goes_on, "left", goes_on.places[2].name), "pick")
    assert goes_on.said == goes_on.places[2].name and goes_on.body.stood[-1][0] == goes_on.places[2].place


def made(goes_on, scene) -> card_content.Card:
    card = card_content.Card()
    settle(card, goes_on, scene)
    return card


def settle(card, goes_on, scene) -> None:
    """Until there is nothing else to tell."""
    idle = 0
    while idle < 3:
        card._due = 0.0
        card.look(goes_on, scene)
        idle = 0 if card.busy else idle + 1


def test_the_card_tells_of_hall_layer_and_channel(goes_on, scene):
    assert made(goes_on, scene).content.title == "concepts object"
    actions.select(scene, LAYER)
    facts = dict(made(goes_on, scene).content.facts)
    assert facts["Shape"] == "12 channels of 64 × 64" and "Mean" in facts
    actions.select(scene, LAYER, 5)
    card = made(goes_on, scene)
    assert card.content.title == f"{LAYER} · 5" and card.content.picture is not None
    assert card.sketch.pictures and card.made == 1
    top = store.described(scene).prediction.top[0]
    assert dict(card.content.facts)["Answer"] == f"{top[1]} {top[2]:.1%}"


def test_the_card_is_made_again_only_for_something_new(goes_on, scene):
    actions.select(scene, LAYER, 5)
    card = made(goes_on, scene)
    settle(card, goes_on, scene)
    assert card.made == 1
    current().error = "the network broke"
    settle(card, goes_on, scene)
    assert card.made == 2 and card_content.warning(goes_on) == "the network broke"


def test_an_error_is_said_and_nothing_is_raised(goes_on, scene, monkeypatch):
    hand = pointed(goes_on, "left", 5)
    bpy.data.objects.remove(panel_of(scene, LAYER))
    hand_actions.act(goes_on, hand, "pick")
    assert goes_on.failed and LAYER in goes_on.said and "\n" not in goes_on.said


def test_a_hall_that_is_gone_ends_nothing_in_an_error(goes_on, scene):
    bpy.data.scenes.new("other")
    bpy.data.scenes.remove(scene)
    goes_on.point(goes_on.hands["left"], np.eye(4))
    hand_actions.act(goes_on, goes_on.hands["left"], "menu")
    assert goes_on.board is None


def test_a_walk_leaves_no_font_behind(goes_on, scene):
    before = len(bpy.data.fonts)
    drawn = hands_drawing.Drawing(goes_on)
    drawn.begin()
    hand_actions.act(goes_on, goes_on.hands["left"], "menu")
    drawn.look(scene)
    assert len(bpy.data.fonts) > before
    drawn.end()
    assert len(bpy.data.fonts) == before


# Starting, where there is no headset


def test_without_a_runtime_nothing_is_changed_and_it_is_said_what_to_install(scene):
    before = {
        key: saved_settings._plain(getattr(xr.settings(), key))
        for key in saved_settings.SETTINGS
        if hasattr(xr.settings(), key)
    }
    landmarks = hasattr(scene, "vr_landmarks")
    with pytest.raises(SceneError, match="install|3D view"):
        actions.start_walk(scene, "preview")
    after = {
        key: saved_settings._plain(getattr(xr.settings(), key))
        for key in saved_settings.SETTINGS
        if hasattr(xr.settings(), key)
    }
    assert before == after and hasattr(scene, "vr_landmarks") == landmarks
    assert not bpy.app.handlers.xr_session_start_pre
    assert headset_walk.current() is None and walk.current() is None


def test_a_fault_of_the_clock_puts_everything_back(scene, monkeypatch):
    made = headset_walk.InHeadset(scene, "preview", 256)
    before = xr.settings().clip_end
    made.kept.enter(made.walk.places)
    made.fit.keep()
    monkeypatch.setattr(headset_walk, "_headset", made)
    monkeypatch.setattr(headset_walk, "_ended", headset_walk._ended)
    monkeypatch.setattr(made, "go", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        headset_walk._tick()
    assert headset_walk.current() is None and xr.settings().clip_end == before


def test_a_headset_that_does_not_answer_is_told_and_forgotten(scene, monkeypatch):
    made = headset_walk.InHeadset(scene, "preview", 256)
    made.kept.enter(made.walk.places)
    made.fit.keep()
    monkeypatch.setattr(headset_walk, "_headset", made)
    monkeypatch.setattr(headset_walk, "_ended", headset_walk._ended)
    assert made.go() == headset_walk.WAITS
    made.began -= headset_walk.PATIENCE + 1
    assert made.go() is None
    assert "no headset answered" in current().error and headset_walk.current() is None
    current().error = ""


def test_settings_and_landmarks_come_back(scene):
    xr.settings().clip_end, xr.settings().base_pose_angle = 77.0, 0.5
    xr.inspection(True)
    one = scene.vr_landmarks.add()
    one.name, one.type, one.base_pose_location = "mine", "CUSTOM", (1, 2, 3)
    found = saved_settings.Kept(scene)
    found.enter(walk.Walk(scene, Body(), ("left",)).places)
    assert [one.name for one in scene.vr_landmarks][:2] == ["Entrance", "Input"]
    assert (
        xr.settings().clip_end == 500.0
        and not xr.settings().show_controllers
        and xr.settings().base_pose_type == "CUSTOM"
    )
    found.leave()
    assert [one.name for one in scene.vr_landmarks] == ["mine"]
    assert tuple(scene.vr_landmarks[0].base_pose_location) == (1, 2, 3)
    assert (xr.settings().clip_end, xr.settings().base_pose_angle) == (77.0, 0.5)
    xr.inspection(False)


def test_it_is_rested_after_a_session(scene, monkeypatch):
    monkeypatch.setattr(headset_walk, "_ended", __import__("time").monotonic())
    assert "wait" in headset_walk.cannot()
    with pytest.raises(SceneError, match="still ending"):
        actions.start_walk(scene)


def test_nobody_walks(scene):
    assert "no walk" in actions.end_walk(scene)
    with pytest.raises(SceneError, match="nobody walks"):
        actions.go_to_place(scene, "Entrance")
    with pytest.raises(SceneError, match="3D view"):
        actions.walk_at_desk(scene)


def test_who_walks_is_sent(scene, goes_on):
    walk.begin(goes_on)
    assert actions.go_to_place(scene, "Answer") == "Answer"
    with pytest.raises(UnknownName, match="Nowhere"):
        actions.go_to_place(scene, "Nowhere")
    walk.begin(None)
