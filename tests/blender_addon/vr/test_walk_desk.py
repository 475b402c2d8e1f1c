"""A walk at the desk: its camera, keys, mouse and screen plane, in a simulated 3D view."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

bpy = pytest.importorskip("bpy", reason="needs Blender as a module (bpy)")

from mathutils import Matrix, Quaternion, Vector  # noqa: E402

import innerwalk  # noqa: E402
from innerwalk.blender_addon import actions  # noqa: E402
from innerwalk.blender_addon.live.session import current  # noqa: E402
from innerwalk.blender_addon.scene.hall import store  # noqa: E402
from innerwalk.blender_addon.scene.panels import panel_of, world_matrix  # noqa: E402
from innerwalk.blender_addon.vr import walk  # noqa: E402
from innerwalk.blender_addon.vr.desk import desk_camera as desk  # noqa: E402
from innerwalk.blender_addon.vr.desk import desk_drawing, desk_walk  # noqa: E402
from innerwalk.blender_addon.vr.desk.screen_plane import ScreenPlane, fit_density  # noqa: E402
from innerwalk.blender_addon.vr.display import menu_layout  # noqa: E402
from innerwalk.tests.support import OBJECT_RECORDING  # noqa: E402

LAYER = "stem.conv"


class View:
    """A `RegionView3D`, as far as the camera needs one."""

    def __init__(self) -> None:
        self.view_perspective, self.view_distance = "ORTHO", 7.0
        self.view_rotation, self.view_location = Quaternion(), Vector()
        self.view_matrix = Matrix()

    def update(self) -> None:
        at = Matrix.LocRotScale(self.view_location, self.view_rotation, None)
        self.view_matrix = (at @ Matrix.Translation((0, 0, self.view_distance))).inverted()


class Body(desk.DeskCamera):
    """A camera in a simulated view, which needs no window."""

    area: object = "an area"

    def __init__(self) -> None:
        self.view_region = View()

    @property
    def region(self):
        return self.view_region


@pytest.fixture
def body():
    camera = Body()
    camera.set_pose((0.0, -1.2, 1.7), desk.view_rotation(0.0, 0.0))
    return camera


def along(body) -> np.ndarray:
    return -body.eye()[:3, 2]


@pytest.mark.parametrize(
    ("yaw", "pitch", "wanted"),
    [(0, 0, (0, 1, 0)), (90, 0, (-1, 0, 0)), (-90, 0, (1, 0, 0)), (0, 90, (0, 0, 1)), (180, -45, (0, -1, -1))],
)
def test_looking_along(yaw, pitch, wanted):
    found = desk.view_rotation(math.radians(yaw), math.radians(pitch)) @ Vector((0, 0, -1))
    assert np.allclose(found, Vector(wanted).normalized(), atol=1e-6)


def test_the_view_becomes_an_eye(body):
    assert body.view_region.view_perspective == "PERSP"
    assert np.allclose(body.eye()[:3, 3], (0, -1.2, 1.7), atol=1e-6) and np.allclose(along(body), (0, 1, 0), atol=1e-6)


def test_standing_keeps_the_direction_or_takes_another(body):
    body.rotate(0.3, 0.2)
    before = along(body)
    body.stand((3.0, 4.0))
    assert np.allclose(body.eye()[:3, 3], (3, 4, 1.7), atol=1e-6) and np.allclose(along(body), before, atol=1e-6)
    body.stand((3.0, 4.0), math.radians(90))
    assert np.allclose(along(body), (-1, 0, 0), atol=1e-6)


def test_rotating_keeps_the_horizon_level_and_stops_before_the_zenith(body):
    body.rotate(math.radians(30), math.radians(10))
    wanted = desk.view_rotation(math.radians(-30), math.radians(10)) @ Vector((0, 0, -1))
    assert np.allclose(along(body), wanted, atol=1e-5)
    for up in (2.0, -4.0):
        body.rotate(0.0, up)
        assert body.eye()[2, 0] == pytest.approx(0, abs=1e-6)
        assert math.asin(along(body)[2]) == pytest.approx(math.copysign(desk.MAX_PITCH, up), abs=1e-5)


def test_a_turn_is_about_the_eye(body):
    body.turn(math.radians(30))
    assert np.allclose(body.eye()[:3, 3], (0, -1.2, 1.7), atol=1e-6)
    assert np.allclose(along(body), (-0.5, math.sqrt(3) / 2, 0), atol=1e-6)


@pytest.mark.parametrize("pitch", [-60, 0, 60])
def test_moving_is_parallel_to_the_floor_whatever_the_pitch(body, pitch):
    body.set_pose((0, 0, 1.7), desk.view_rotation(math.radians(90), math.radians(pitch)))
    body.move(0.5, 2.0, 0.25)
    assert np.allclose(body.eye()[:3, 3], (-2.0, 0.5, 1.95), atol=1e-5)
    body.move(0, 0, -9)
    assert body.eye()[2, 3] == pytest.approx(desk.MIN_HEIGHT)


# The screen plane


@pytest.fixture
def plane():
    return ScreenPlane((1440, 900), (1.0, 900 / 1440), 0.015)


def seen(plane, point) -> np.ndarray:
    """The pixel that shows a point of the eye's axes."""
    x, y, z = point
    half = np.array(plane.size) / 2
    return half + half * (x / -z / plane.spread[0], y / -z / plane.spread[1])


@pytest.mark.parametrize("pixel", [(0, 0), (720, 450), (1100, 40)])
def test_a_canvas_on_the_plane_has_its_pixels(plane, pixel):
    at = plane.pose_at(*pixel, 900.0)
    for x, y in ((0, 0), (0.1, 0.0), (0.34, 0.5)):
        assert np.allclose(seen(plane, (at @ [x, y, 0, 1])[:3]), np.add(pixel, (900 * x, 900 * y)), atol=1e-3)
    assert at[2, 3] == -0.015 and np.allclose(at[:3, 2] / at[2, 2], (0, 0, 1))


def test_the_centre_is_where_the_eye_looks(plane):
    assert plane.centre == (720, 450) and plane.focal_length == 720
    assert np.allclose(seen(plane, (0, 0, -1)), plane.centre)


def test_a_canvas_without_enough_room_is_smaller():
    assert fit_density(900, 0.34, 0.5, (432, 868)) == 900
    assert fit_density(900, 0.34, 0.5, (170, 868)) == pytest.approx(500)
    assert fit_density(900, 0.34, 0.5, (432, 250)) == pytest.approx(500)
    assert fit_density(900, 0.0, 0.0, (432, 868)) == 900


# Settings of the view that a walk changes


def test_every_setting_of_a_view_is_known_to_this_blender():
    assert desk.VIEW_SETTINGS.keys() <= set(bpy.types.SpaceView3D.bl_rna.properties.keys())
    assert desk.OVERLAY_SETTINGS.keys() <= set(bpy.types.View3DOverlay.bl_rna.properties.keys())


def test_a_file_that_is_saved_during_a_walk_has_the_persons_settings(running, monkeypatch, tmp_path):
    hall = running.walk.scene
    hall.render.engine = "BLENDER_WORKBENCH"
    body = desk.DeskCamera(hall)
    space = body.area.spaces.active
    space.shading.type, space.lens, space.show_gizmo, space.overlay.show_floor = "SOLID", 50.0, True, True

    def settings() -> list[object]:
        return [space.shading.type, space.lens, space.show_gizmo, space.overlay.show_floor, hall.render.engine]

    before, seen = settings(), []
    monkeypatch.setattr(running, "body", body)
    monkeypatch.setattr(running.drawing, "begin", lambda: None)
    monkeypatch.setattr(running.drawing, "end", lambda: None)
    monkeypatch.setattr(desk_walk, "_desk_walk", running)
    running.enter()
    during = settings()
    assert during[:4] == ["RENDERED", 36.0, False, False]
    bpy.app.handlers.save_pre.append(lambda *_: seen.append(settings()))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "walked.blend"))
    assert seen == [before]
    assert settings() == during
    running.leave()
    assert settings() == before and desk_walk._before_saving not in bpy.app.handlers.save_pre
    bpy.app.handlers.save_pre.pop()


# Keys and mouse


@pytest.fixture
def running(body):
    """A walk at the desk through the hall of a small network."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    innerwalk.register()
    current().error = ""
    actions.import_recording(OBJECT_RECORDING)
    (hall,) = store.halls()
    bpy.context.window.scene = hall
    yield desk_walk.DeskWalk(hall, body)
    innerwalk.unregister()


def event(kind, value="PRESS", at=(0, 0), **more):
    modifiers = dict.fromkeys(("shift", "ctrl", "alt", "oskey", "is_repeat"), False) | more
    return SimpleNamespace(type=kind, value=value, mouse_x=at[0], mouse_y=at[1], **modifiers)


def aimed(running, channel):
    """Makes the eye look at a tile from 2 m."""
    panel = panel_of(running.walk.scene, LAYER)
    columns, rows, width, height = panel["innerwalk_grid"]
    row, column = divmod(channel, int(columns))
    at = world_matrix(panel)
    place = at @ Vector(((column + 0.5) * width, (rows - row - 0.5) * height, 0))
    normal = (at.to_quaternion() @ Vector((0, 0, 1))).normalized()
    running.body.set_pose(place + 2 * normal, (-normal).to_track_quat("-Z", "Y"))


def hand(running):
    return running.walk.hands[desk.HAND_NAME]


def test_a_key_moves_the_walker_while_it_is_down(running, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(desk_walk.time, "monotonic", lambda: clock[0])
    running.last_step = clock[0]
    for kinds, shift, wanted in ((("W",), False, (0, 0.125, 0)), (("W", "D"), True, (0.375, 0.375, 0))):
        running.body.set_pose((0, 0, 1.7), desk.view_rotation(0.0, -0.5))
        assert all(running.handle_event(event(kind, shift=shift)) for kind in kinds)
        clock[0] += 0.05
        running._move()
        assert np.allclose(running.body.eye()[:3, 3] - (0, 0, 1.7), wanted, atol=1e-5)
        for kind in kinds:
            running.handle_event(event(kind, "RELEASE", ctrl=True))
    assert running.held_keys == set()
    running.handle_event(event("S", "DOUBLE_CLICK"))
    assert running.held_keys == {"S"}
    clock[0] += 30.0
    before = running.body.eye()[1, 3]
    running._move()
    assert before - running.body.eye()[1, 3] == pytest.approx(desk_walk.MAX_STEP_SECONDS * desk_walk.SPEED, abs=1e-5)
    assert not running.handle_event(event("WINDOW_DEACTIVATE", "NOTHING"))
    assert running.held_keys == set()


def test_the_mouse_turns_the_eye_by_its_movement(running):
    assert running.handle_event(event("MOUSEMOVE", "NOTHING", (500, 400)))
    assert np.allclose(along(running.body), (0, 1, 0), atol=1e-6)
    running.handle_event(event("INBETWEEN_MOUSEMOVE", "NOTHING", (600, 440)))
    wanted = desk.view_rotation(-100 * desk_walk.MOUSE_SPEED, 40 * desk_walk.MOUSE_SPEED) @ Vector((0, 0, -1))
    assert np.allclose(along(running.body), wanted, atol=1e-5)


@pytest.mark.parametrize(
    "ignored", [event("Z", ctrl=True), event("SPACE", ctrl=True), event("TIMER", "NOTHING"), event("S", oskey=True)]
)
def test_other_events_are_left_to_blender(running, ignored):
    before = running.body.eye()
    assert not running.handle_event(ignored)
    assert np.array_equal(running.body.eye(), before) and running.held_keys == set()


def test_no_event_is_handled_once_the_view_is_closed(running):
    running.handle_event(event("MOUSEMOVE", "NOTHING", (500, 400)))
    running.body.area = None
    assert not running.handle_event(event("MOUSEMOVE", "NOTHING", (600, 400)))
    assert not running.handle_event(event("ESC"))
    assert not running.walk.ending


def test_a_click_picks_and_an_unknown_key_does_nothing(running):
    aimed(running, 5)
    assert running.handle_event(event("H")) and running.handle_event(event("LEFTMOUSE"))
    assert tuple(actions.selected(running.walk.scene)) == (LAYER, 5)
    assert desk_drawing.crosshair_state(running.walk, running.walk.scene) == "something"


def test_g_holds_while_it_is_down_and_the_wheel_scales(running):
    aimed(running, 5)
    scene, before = running.walk.scene, np.array(world_matrix(panel_of(running.walk.scene, LAYER)))
    running.handle_event(event("WHEELUPMOUSE"))
    running.handle_event(event("G"))
    grip = hand(running).grip
    running.handle_event(event("G", is_repeat=True))
    assert grip is not None and hand(running).grip is grip
    assert desk_drawing.crosshair_state(running.walk, scene) == "held"
    for kind, factor in (("WHEELUPMOUSE", 1.1), ("WHEELDOWNMOUSE", 1.0)):
        running.handle_event(event(kind))
        desk_walk.hand_actions.carry_panels(running.walk, scene)
        assert world_matrix(panel_of(scene, LAYER)).to_scale().x == pytest.approx(factor)
    running.handle_event(event("G", "RELEASE"))
    assert hand(running).grip is None
    assert np.allclose(np.array(world_matrix(panel_of(scene, LAYER))), before, atol=1e-4)


def test_the_menu_is_closed_by_esc_before_the_walk_is(running):
    for key in ("M", "TAB"):
        running.handle_event(event(key))
        assert running.walk.menu is not None
        running.handle_event(event("ESC"))
        assert running.walk.menu is None and not running.walk.ending
    running.handle_event(event("ESC"))
    assert running.walk.ending


@pytest.mark.parametrize(("label", "wanted"), [("Colours", "something"), ("Export", "nothing")])
def test_the_crosshair_shows_what_can_be_chosen(running, label, wanted):
    running.handle_event(event("M"))
    board = running.walk.menu
    index = next(k for k, item in enumerate(board.page.items) if item.label.startswith(label))
    assert board.page.items[index].enabled == (wanted == "something")
    (left, right), (low, high) = menu_layout.arrange(board.page).boxes[index]
    there = Vector((board.pose @ [(left + right) / 2, (low + high) / 2, 0, 1])[:3])
    eye = Vector(running.body.eye()[:3, 3])
    running.body.set_pose(eye, (there - eye).to_track_quat("-Z", "Y"))
    running.walk.point_hand(hand(running), running.body.eye())
    assert hand(running).item == index
    assert desk_drawing.crosshair_state(running.walk, running.walk.scene) == wanted


def test_places_and_turns_have_keys(running):
    running.handle_event(event("N"))
    assert running.walk.landmark_index == 1
    assert np.allclose(running.body.eye()[:2, 3], running.walk.landmarks[1].position, atol=1e-5)
    running.handle_event(event("P"))
    assert running.walk.landmark_index == 0
    running.handle_event(event("Z"))
    assert np.allclose(along(running.body), (-0.5, math.sqrt(3) / 2, 0), atol=1e-5)
    running.handle_event(event("X"))
    assert np.allclose(along(running.body), (0, 1, 0), atol=1e-5)


def test_the_crosshair_ignores_the_floor(running):
    running.body.set_pose((0.3, 0.0, 1.7), desk.view_rotation(0.0, -1.2))
    running.walk.point_hand(hand(running), running.body.eye())
    assert hand(running).hit is not None
    assert desk_drawing.crosshair_state(running.walk, running.walk.scene) == "nothing"


@pytest.mark.parametrize("state", desk_drawing.CROSS_COLOURS)
def test_a_crosshair_is_open_in_its_middle_and_has_a_dark_rim(state):
    canvas = desk_drawing.draw_crosshair(state)
    (left, right), (low, high) = canvas.bounds
    assert (-left, -low) == (right, high)
    reach = np.abs(canvas.points[:, :2]).max(1)
    assert reach.min() >= desk_drawing.GAP - desk_drawing.RIM
    colours = {tuple(np.round(colour, 3)) for colour in canvas.colours}
    assert len(colours) == 2


def test_a_second_walk_is_refused_in_one_line(running):
    walk.set_current(running.walk)
    with pytest.raises(innerwalk.torch_bridge.recording.errors.SceneError, match="already running; end it first"):
        desk_walk.begin(running.walk.scene)
    walk.set_current(None)
