"""A walk without a headset: the test moves hands, which point, pick, carry, choose menu items and go to places."""

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from mathutils import Matrix, Vector  # noqa: E402

import innerwalk  # noqa: E402
from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.live.session import current  # noqa: E402
from innerwalk.blender_addon.plans.number_text import format_number  # noqa: E402
from innerwalk.blender_addon.scene.hall import store  # noqa: E402
from innerwalk.blender_addon.scene.hall.ray_hits import pixel_of  # noqa: E402
from innerwalk.blender_addon.scene.materials import colour_settings  # noqa: E402
from innerwalk.blender_addon.scene.panels import panel_of, size_of, values, world_matrix  # noqa: E402
from innerwalk.blender_addon.vr import grips, hand_actions, outlines, walk, walk_drawing  # noqa: E402
from innerwalk.blender_addon.vr.display import card_content, menu_layout  # noqa: E402
from innerwalk.blender_addon.vr.headset import headset_walk, saved_settings, session_shading, xr  # noqa: E402
from innerwalk.tests.support import OBJECT_RECORDING  # noqa: E402
from innerwalk.torch_bridge.recording.errors import SceneError, UnknownName  # noqa: E402

LAYER = "stem.conv"


class Body:
    """Records where it stands."""

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
    actions.import_recording(OBJECT_RECORDING)
    (hall,) = store.halls()
    bpy.context.window.scene = hall
    yield hall
    innerwalk.unregister()


@pytest.fixture
def running(scene):
    """A walk through the hall of a small network with two hands."""
    return walk.Walk(scene, Body(), ("left", "right"))


def towards(place, away=1.0, normal=(0, -1, 0.0)) -> np.ndarray:
    """The pose of a hand that points at a place from a distance along its normal."""
    at = np.asarray(place, float) + np.asarray(normal, float) * away
    return np.array(Matrix.Translation(at) @ (-Vector(normal)).to_track_quat("-Z", "Y").to_matrix().to_4x4())


def tile(scene, channel, layer=LAYER):
    """World place and normal of a tile's middle."""
    panel = panel_of(scene, layer)
    columns, rows, width, height = panel["innerwalk_grid"]
    row, column = divmod(channel, int(columns))
    at = world_matrix(panel)
    normal = (at.to_quaternion() @ Vector((0, 0, 1))).normalized()
    return at @ Vector(((column + 0.5) * width, (rows - row - 0.5) * height, 0)), normal


def pointed(running, name, channel, layer=LAYER):
    place, normal = tile(running.scene, channel, layer)
    hand = running.hands[name]
    running.point_hand(hand, towards(place, 0.8, normal))
    return hand


@pytest.mark.parametrize("name", ["left", "right"])
@pytest.mark.parametrize("moved", [False, True])
def test_a_tile_is_picked_wherever_its_panel_hangs(running, scene, name, moved):
    if moved:
        panel = panel_of(scene, LAYER)
        move = Matrix.Translation((2, 3, 1)) @ Matrix.Rotation(0.7, 4, (1, 2, 3)) @ Matrix.Scale(1.7, 4)
        panel.matrix_world = move @ world_matrix(panel)
    hand = pointed(running, name, 5)
    assert (hand.hit.layer, hand.hit.channel) == (LAYER, 5)
    assert hand.distance == pytest.approx(0.8, abs=1e-3)
    outline = outlines.outline_of(scene, hand.hit)
    assert np.allclose(outline.matrix @ Vector(np.mean(outline.points, 0).tolist()), tile(scene, 5)[0], atol=0.02)
    row, column = pixel_of(hand.hit)
    assert {row, column} <= {31, 32}
    value = format_number(float(values.value_at(panel_of(scene, LAYER), 5, row, column)))
    assert walk_drawing.label_text(scene, hand.hit) == f"{LAYER} · 5 · ({column}, {row}) = {value}"
    hand_actions.perform(running, hand, "pick")
    assert tuple(actions.selected(scene)) == (LAYER, 5)
    [mark] = outlines.selection_marks(scene)
    assert np.allclose(mark.matrix() @ Vector(np.mean(mark.points, 0).tolist()), tile(scene, 5)[0], atol=0.02)
    actions.select(scene, LAYER)
    assert outlines.selection_marks(scene) == []
    assert running.card_hand == name


def test_picking_the_floor_teleports_and_nothing_else_does(running, scene):
    hand = running.hands["left"]
    running.point_hand(hand, towards((0.3, 1.0, 0.0), 2.0, Vector((0, -0.5, 0.8)).normalized()))
    hand_actions.perform(running, hand, "pick")
    ((place, yaw),) = running.body.stood
    assert place == pytest.approx((0.3, 1.0), abs=0.01) and yaw is None
    running.point_hand(hand, towards((0.3, 100.0, 0.0), 90.0, Vector((0, -1, 0.1)).normalized()))
    hand_actions.perform(running, hand, "pick")
    running.point_hand(hand, towards((0.0, 0.0, 30.0), 1.0, (0, 0, -1)))  # the sky
    hand_actions.perform(running, hand, "pick")
    pointed(running, "left", 0)
    hand_actions.perform(running, hand, "pick")
    assert len(running.body.stood) == 1


def test_a_gripped_panel_follows_the_hand(running, scene):
    before, hand = world_matrix(panel_of(scene, LAYER)), pointed(running, "right", 3)
    start = hand.pose.copy()
    hand_actions.perform(running, hand, "grip")
    now = np.array(Matrix.Translation((0.4, -0.2, 0.3)) @ Matrix.Rotation(0.5, 4, "Z")) @ start
    running.point_hand(hand, now)
    hand_actions.carry_panels(running, scene)
    wanted = now @ np.linalg.inv(start) @ np.array(before)
    assert np.allclose(np.array(world_matrix(panel_of(scene, LAYER))), wanted, atol=1e-5)
    hand_actions.perform(running, hand, "let_go")
    assert hand.grip is None and "moved" in running.message
    running.point_hand(hand, start)
    hand_actions.carry_panels(running, scene)
    assert np.allclose(np.array(world_matrix(panel_of(scene, LAYER))), wanted, atol=1e-5)


def test_two_hands_scale_a_panel_and_one_keeps_its_grip(running, scene):
    place, normal = tile(scene, 3)
    left, right = pointed(running, "left", 3), pointed(running, "right", 3)
    hand_actions.perform(running, left, "grip")
    running.point_hand(right, towards(np.array(place) + (0.5, 0.5, 0), 3.0, normal))
    hand_actions.perform(running, right, "grip")
    between = right.position - left.position
    moved = left.pose.copy()
    moved[:3, 3] -= between
    running.point_hand(left, moved)
    hand_actions.carry_panels(running, scene)
    assert world_matrix(panel_of(scene, LAYER)).to_scale().x == pytest.approx(2.0, abs=1e-4)
    held = np.array(world_matrix(panel_of(scene, LAYER)))
    hand_actions.perform(running, left, "let_go")
    hand_actions.carry_panels(running, scene)
    assert right.grip is not None and np.allclose(np.array(world_matrix(panel_of(scene, LAYER))), held, atol=1e-5)
    hand_actions.perform(running, right, "let_go")
    assert size_of(panel_of(scene, LAYER))[0] > 0 and right.grip is None


def test_the_grip_of_a_removed_panel_is_released(running, scene):
    hand = pointed(running, "left", 3)
    hand_actions.perform(running, hand, "grip")
    bpy.data.objects.remove(panel_of(scene, LAYER))
    hand_actions.carry_panels(running, scene)
    assert hand.grip is None and running.failed and LAYER in running.message
    hand_actions.perform(running, hand, "let_go")


def test_the_wheel_scales_about_the_end_of_the_ray(running, scene):
    hand = pointed(running, "left", 4)
    hand_actions.perform(running, hand, "grip")
    hand_actions.scale_held_panel(hand, 1.5)
    hand_actions.carry_panels(running, scene)
    assert world_matrix(panel_of(scene, LAYER)).to_scale().x == pytest.approx(1.5)
    assert np.allclose(tile(scene, 4)[0], hand.position + hand.direction * hand.distance, atol=0.02)


def test_only_panels_can_be_gripped(running, scene):
    hand = running.hands["left"]
    running.point_hand(hand, towards((0.3, 1.0, 0.0), 2.0, Vector((0, -0.5, 0.8)).normalized()))
    hand_actions.perform(running, hand, "grip")
    assert hand.grip is None
    hand_actions.perform(running, hand, "let_go")
    hand_actions.carry_panels(running, scene)


def at_item(running, name, label):
    board = running.menu
    index = next(k for k, item in enumerate(board.page.items) if item.label.startswith(label))
    (left, right), (low, high) = menu_layout.arrange(board.page).boxes[index]
    place = (board.pose @ [(left + right) / 2, (low + high) / 2, 0, 1])[:3]
    hand = running.hands[name]
    running.point_hand(hand, towards(place, 0.6, board.pose[:3, 2]))
    assert hand.item == index
    return hand


def test_the_menu_opens_before_the_eye_and_a_ray_chooses(running, scene):
    hand_actions.perform(running, running.hands["left"], "menu")
    middle = running.menu.pose @ [*(np.array(menu_layout.size(running.menu.page)) / 2), 0, 1]
    assert np.allclose(middle[:3], (0, -1.2 + hand_actions.MENU_DISTANCE, 1.65 - hand_actions.MENU_DROP), atol=1e-6)
    hand_actions.perform(running, at_item(running, "right", "Colours"), "pick")
    assert running.menu.name == "colours"
    hand_actions.perform(running, at_item(running, "left", "Ember"), "pick")
    assert colour_settings.read_scene_colours(scene)["colour_map"] == "ember"
    assert any(item.on and item.label.startswith("Ember") for item in running.menu.page.items)
    hand_actions.perform(running, at_item(running, "left", "Back"), "pick")
    hand_actions.perform(running, at_item(running, "left", "End"), "pick")
    assert running.ending and running.menu is None


def test_a_menu_in_front_of_a_panel_is_hit_first(running, scene):
    hand = pointed(running, "left", 3)
    hand_actions.perform(running, hand, "menu")
    width, height = menu_layout.size(running.menu.page)
    at = grips.facing_pose(hand.position + hand.direction * 0.4, hand.position, offset=(-width / 2, -height / 2, 0))
    running.menu.pose = np.array(at)
    running.point_hand(hand, hand.pose)
    assert hand.on_menu and hand.hit is None and hand.distance == pytest.approx(0.4)
    hand_actions.perform(running, hand, "menu")
    running.point_hand(hand, hand.pose)
    assert hand.hit.layer == LAYER


def test_a_disabled_item_does_nothing(running, scene):
    hand_actions.perform(running, running.hands["left"], "menu")
    off = next(item.label for item in running.menu.page.items if not item.enabled)
    hand_actions.perform(running, at_item(running, "left", off), "pick")
    assert running.menu.name == "root" and running.message == ""


def test_an_export_runs_in_steps(running, scene, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "hall.blend"))
    hand_actions.perform(running, running.hands["left"], "menu")
    hand_actions.perform(running, at_item(running, "left", "Export"), "pick")
    steps = 0
    while running.export is not None:
        hand_actions.continue_export(running)
        steps += 1
    assert steps > 2 and "23 layers" in running.message
    assert len(list((tmp_path / "concepts_object/channels").iterdir())) == 23


def test_places_are_visited_in_turn(running):
    hand = running.hands["left"]
    hand_actions.perform(running, hand, "previous_landmark")
    assert running.message == "Answer"
    hand_actions.perform(running, hand, "next_landmark")
    place, yaw = running.body.stood[-1]
    assert running.message == "Entrance" and place == (0.0, -1.2) and yaw == 0.0
    hand_actions.perform(running, hand, "turn_left")
    assert running.body.stood[-1] == pytest.approx(np.radians(30))


def test_places_are_where_the_hall_has_them_after_it_was_collapsed(running, scene):
    before = running.landmarks[-1].position
    hand_actions.perform(running, running.hands["left"], "menu")
    hand_actions.perform(running, at_item(running, "left", "Collapse"), "pick")
    assert running.landmarks[-1].position[1] < before[1] - 1
    hand_actions.perform(running, at_item(running, "left", "Places"), "pick")
    hand_actions.perform(running, at_item(running, "left", running.landmarks[2].name), "pick")
    assert running.message == running.landmarks[2].name and running.body.stood[-1][0] == running.landmarks[2].position


def settled_card(running, scene) -> card_content.Card:
    card = card_content.Card()
    settle(card, running, scene)
    return card


def settle(card, running, scene) -> None:
    """Updates the card until its content stays the same."""
    idle = 0
    while idle < 3:
        card._next_check = 0.0
        card.update(running, scene)
        idle = 0 if card.busy else idle + 1


def test_the_card_shows_hall_layer_and_channel(running, scene):
    assert settled_card(running, scene).content.title == "concepts object"
    actions.select(scene, LAYER)
    facts = dict(settled_card(running, scene).content.facts)
    assert facts["Shape"] == "12 channels of 64 × 64" and "Mean" in facts
    actions.select(scene, LAYER, 5)
    card = settled_card(running, scene)
    assert card.content.title == f"{LAYER} · 5" and card.content.picture is not None
    assert card.canvas.pictures and card.draw_count == 1
    top = store.read_description(scene).prediction.top[0]
    assert dict(card.content.facts)["Answer"] == f"{top[1]} {top[2]:.1%}"


def test_the_card_is_drawn_again_only_for_new_content(running, scene):
    actions.select(scene, LAYER, 5)
    card = settled_card(running, scene)
    settle(card, running, scene)
    assert card.draw_count == 1
    current().error = "the network broke"
    settle(card, running, scene)
    assert card.draw_count == 2 and card_content.warning(running) == "the network broke"


def test_an_error_is_shown_and_not_raised(running, scene, monkeypatch):
    hand = pointed(running, "left", 5)
    bpy.data.objects.remove(panel_of(scene, LAYER))
    hand_actions.perform(running, hand, "pick")
    assert running.failed and LAYER in running.message and "\n" not in running.message


def test_a_removed_hall_causes_no_error(running, scene):
    bpy.data.scenes.new("other")
    bpy.data.scenes.remove(scene)
    running.point_hand(running.hands["left"], np.eye(4))
    hand_actions.perform(running, running.hands["left"], "menu")
    assert running.menu is None


def test_a_walk_leaves_no_font_behind(running, scene):
    before = len(bpy.data.fonts)
    drawn = walk_drawing.WalkDrawing(running)
    drawn.begin()
    hand_actions.perform(running, running.hands["left"], "menu")
    drawn.update(scene)
    assert len(bpy.data.fonts) > before
    drawn.end()
    assert len(bpy.data.fonts) == before


# Starting, where there is no headset


def test_without_a_runtime_nothing_changes_and_the_error_says_what_to_install(scene):
    before = {
        key: saved_settings._copy(getattr(xr.settings(), key))
        for key in saved_settings.SETTINGS
        if hasattr(xr.settings(), key)
    }
    landmarks = hasattr(scene, "vr_landmarks")
    with pytest.raises(SceneError, match="install|3D view"):
        actions.start_walk(scene)
    after = {
        key: saved_settings._copy(getattr(xr.settings(), key))
        for key in saved_settings.SETTINGS
        if hasattr(xr.settings(), key)
    }
    assert before == after and hasattr(scene, "vr_landmarks") == landmarks
    assert not bpy.app.handlers.xr_session_start_pre
    assert headset_walk.current() is None and walk.current() is None


def test_an_error_in_the_timer_restores_everything(scene, monkeypatch):
    started = headset_walk.HeadsetWalk(scene)
    before = xr.settings().clip_end
    started.saved.enter(started.walk.landmarks)
    started.shading.save()
    monkeypatch.setattr(headset_walk, "_headset_walk", started)
    monkeypatch.setattr(headset_walk, "_end_time", headset_walk._end_time)
    monkeypatch.setattr(started, "tick", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        headset_walk._tick()
    assert headset_walk.current() is None and xr.settings().clip_end == before


def test_a_headset_that_does_not_answer_is_an_error_and_ends_the_walk(scene, monkeypatch):
    started = headset_walk.HeadsetWalk(scene)
    started.saved.enter(started.walk.landmarks)
    started.shading.save()
    monkeypatch.setattr(headset_walk, "_headset_walk", started)
    monkeypatch.setattr(headset_walk, "_end_time", headset_walk._end_time)
    assert started.tick() == headset_walk.WAIT_SECONDS
    started.start_time -= headset_walk.START_TIMEOUT + 1
    assert started.tick() is None
    assert "no headset answered" in current().error and headset_walk.current() is None
    current().error = ""


def test_settings_and_landmarks_come_back(scene):
    xr.settings().clip_end, xr.settings().base_pose_angle = 77.0, 0.5
    xr.enable_inspection(True)
    landmark = scene.vr_landmarks.add()
    landmark.name, landmark.type, landmark.base_pose_location = "mine", "CUSTOM", (1, 2, 3)
    saved = saved_settings.SavedSettings(scene)
    saved.enter(walk.Walk(scene, Body(), ("left",)).landmarks)
    assert [landmark.name for landmark in scene.vr_landmarks][:2] == ["Entrance", "Input"]
    assert (
        xr.settings().clip_end == 500.0
        and not xr.settings().show_controllers
        and xr.settings().base_pose_type == "CUSTOM"
    )
    saved.leave()
    assert [landmark.name for landmark in scene.vr_landmarks] == ["mine"]
    assert tuple(scene.vr_landmarks[0].base_pose_location) == (1, 2, 3)
    assert (xr.settings().clip_end, xr.settings().base_pose_angle) == (77.0, 0.5)
    xr.enable_inspection(False)


def test_a_file_that_is_saved_meanwhile_has_the_persons_settings(scene, monkeypatch, tmp_path):
    """Blender stores the settings of sessions with its windows, and landmarks with the scene."""
    xr.enable_inspection(True)
    scene.vr_landmarks.add().name = "mine"
    settings, seen = xr.settings(), []
    settings.clip_end, settings.show_object_viewport_mesh, settings.shading.type = 77.0, True, "WIREFRAME"
    started = headset_walk.HeadsetWalk(scene)
    started.shading.save()
    started.saved.enter(started.walk.landmarks)
    started.shading.enter()
    monkeypatch.setattr(headset_walk, "_headset_walk", started)

    def note(*_: object) -> None:
        names = [landmark.name for landmark in scene.vr_landmarks]
        seen.append((settings.clip_end, settings.show_object_viewport_mesh, settings.shading.type, names[:2]))

    handlers = headset_walk._handlers()
    for each, handler in handlers:
        each.append(handler)
    bpy.app.handlers.save_pre.append(note)
    note()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "meanwhile.blend"), copy=True)
    note()
    bpy.app.handlers.save_pre.remove(note)
    for each, handler in handlers:
        each.remove(handler)
    walks = 500.0, False, "SOLID", ["Entrance", "Input"]
    assert seen == [walks, (77.0, True, "WIREFRAME", ["mine"]), walks]
    started.shading.leave()
    started.saved.leave()
    xr.enable_inspection(False)


def test_who_draws_the_scene(scene):
    settings = xr.settings()
    settings.show_object_viewport_mesh, settings.shading.type = True, "RENDERED"
    shading = session_shading.SessionShading()
    shading.save()
    for is_foreign, kind in ((False, "SOLID"), (True, "MATERIAL"), (False, "SOLID")):
        shading.choose(is_foreign=is_foreign)
        assert (settings.shading.type, settings.show_object_viewport_mesh) == (kind, is_foreign)
    shading.leave()
    assert (settings.shading.type, settings.show_object_viewport_mesh) == ("RENDERED", True)


def test_what_is_not_of_a_hall_is_named_once_and_left_to_blender(scene):
    started = headset_walk.HeadsetWalk(scene)
    started.shading.save()
    started.drawing.foreign = "light 'Lamp' is not of a hall"
    started._choose_shading()
    assert started.walk.message == "shown in Material Preview: light 'Lamp' is not of a hall"
    assert xr.settings().shading.type == "MATERIAL"
    started.walk.show_message("other")
    started._choose_shading()
    assert started.walk.message == "other"
    started.drawing.foreign = ""
    started._choose_shading()
    assert xr.settings().shading.type == "SOLID"
    started.shading.leave()


def test_there_is_a_pause_after_a_session(scene, monkeypatch):
    monkeypatch.setattr(headset_walk, "_end_time", __import__("time").monotonic())
    assert "wait" in headset_walk.obstacle()
    with pytest.raises(SceneError, match="still ending"):
        actions.start_walk(scene)


def test_actions_without_a_walk(scene):
    assert "no walk" in actions.end_walk(scene)
    with pytest.raises(SceneError, match="no walk is running"):
        actions.go_to_place(scene, "Entrance")
    with pytest.raises(SceneError, match="3D view"):
        actions.walk_at_desk(scene)


def test_the_walker_goes_to_a_named_place(scene, running):
    walk.set_current(running)
    assert actions.go_to_place(scene, "Answer") == "Answer"
    with pytest.raises(UnknownName, match="Nowhere"):
        actions.go_to_place(scene, "Nowhere")
    walk.set_current(None)
