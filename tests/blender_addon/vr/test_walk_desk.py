"""The body at the desk, its keys and its glass, with a 3D view that a test holds."""

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
from innerwalk.blender_addon.scene.panels import panel_of, world_of  # noqa: E402
from innerwalk.blender_addon.vr import walk  # noqa: E402
from innerwalk.blender_addon.vr.desk import desk_drawing, desk_walk  # noqa: E402
from innerwalk.blender_addon.vr.desk import eye as desk  # noqa: E402
from innerwalk.blender_addon.vr.desk.screen_plane import Glass, fitted  # noqa: E402
from innerwalk.blender_addon.vr.display import menu  # noqa: E402

LAYER = "stem.conv"


class View:
    """A `RegionView3D`, as far as a body needs one."""

    def __init__(self) -> None:
        self.view_perspective, self.view_distance = "ORTHO", 7.0
        self.view_rotation, self.view_location = Quaternion(), Vector()
        self.view_matrix = Matrix()

    def update(self) -> None:
        at = Matrix.LocRotScale(self.view_location, self.view_rotation, None)
        self.view_matrix = (at @ Matrix.Translation((0, 0, self.view_distance))).inverted()


class Body(desk.Desk):
    """Stands in a view that needs no window."""

    area: object = "an area"

    def __init__(self) -> None:
        self.made = View()

    @property
    def region(self):
        return self.made


@pytest.fixture
def body():
    made = Body()
    made.put((0.0, -1.2, 1.7), desk.looking(0.0, 0.0))
    return made


def along(body) -> np.ndarray:
    return -body.eye()[:3, 2]


@pytest.mark.parametrize(
    ("yaw", "pitch", "wanted"),
    [(0, 0, (0, 1, 0)), (90, 0, (-1, 0, 0)), (-90, 0, (1, 0, 0)), (0, 90, (0, 0, 1)), (180, -45, (0, -1, -1))],
)
def test_looking_along(yaw, pitch, wanted):
    found = desk.looking(math.radians(yaw), math.radians(pitch)) @ Vector((0, 0, -1))
    assert np.allclose(found, Vector(wanted).normalized(), atol=1e-6)


def test_the_view_becomes_an_eye(body):
    assert body.made.view_perspective == "PERSP"
    assert np.allclose(body.eye()[:3, 3], (0, -1.2, 1.7), atol=1e-6) and np.allclose(along(body), (0, 1, 0), atol=1e-6)


def test_standing_keeps_the_look_or_takes_another(body):
    body.glance(0.3, 0.2)
    before = along(body)
    body.stand((3.0, 4.0))
    assert np.allclose(body.eye()[:3, 3], (3, 4, 1.7), atol=1e-6) and np.allclose(along(body), before, atol=1e-6)
    body.stand((3.0, 4.0), math.radians(90))
    assert np.allclose(along(body), (-1, 0, 0), atol=1e-6)


def test_a_glance_keeps_the_horizon_and_stops_before_the_zenith(body):
    body.glance(math.radians(30), math.radians(10))
    assert np.allclose(along(body), desk.looking(math.radians(-30), math.radians(10)) @ Vector((0, 0, -1)), atol=1e-5)
    for up in (2.0, -4.0):
        body.glance(0.0, up)
        assert body.eye()[2, 0] == pytest.approx(0, abs=1e-6)
        assert math.asin(along(body)[2]) == pytest.approx(math.copysign(desk.STEEP, up), abs=1e-5)


def test_a_turn_is_about_the_eye(body):
    body.turn(math.radians(30))
    assert np.allclose(body.eye()[:3, 3], (0, -1.2, 1.7), atol=1e-6)
    assert np.allclose(along(body), (-0.5, math.sqrt(3) / 2, 0), atol=1e-6)


@pytest.mark.parametrize("pitch", [-60, 0, 60])
def test_ways_lead_over_the_floor_whatever_is_looked_at(body, pitch):
    body.put((0, 0, 1.7), desk.looking(math.radians(90), math.radians(pitch)))
    body.walk(0.5, 2.0, 0.25)
    assert np.allclose(body.eye()[:3, 3], (-2.0, 0.5, 1.95), atol=1e-5)
    body.walk(0, 0, -9)
    assert body.eye()[2, 3] == pytest.approx(desk.LOWEST)


# The glass


@pytest.fixture
def glass():
    return Glass((1440, 900), (1.0, 900 / 1440), 0.015)


def seen(glass, point) -> np.ndarray:
    """The pixel where a point before the eye is seen."""
    x, y, z = point
    half = np.array(glass.size) / 2
    return half + half * (x / -z / glass.spread[0], y / -z / glass.spread[1])


@pytest.mark.parametrize("pixel", [(0, 0), (720, 450), (1100, 40)])
def test_a_plane_of_the_glass_has_its_pixels(glass, pixel):
    at = glass.at(*pixel, 900.0)
    for x, y in ((0, 0), (0.1, 0.0), (0.34, 0.5)):
        assert np.allclose(seen(glass, (at @ [x, y, 0, 1])[:3]), np.add(pixel, (900 * x, 900 * y)), atol=1e-3)
    assert at[2, 3] == -0.015 and np.allclose(at[:3, 2] / at[2, 2], (0, 0, 1))


def test_the_middle_is_where_the_eye_looks(glass):
    assert glass.middle == (720, 450) and glass.focal == 720
    assert np.allclose(seen(glass, (0, 0, -1)), glass.middle)


def test_what_has_no_room_is_smaller():
    assert fitted(900, 0.34, 0.5, (432, 868)) == 900
    assert fitted(900, 0.34, 0.5, (170, 868)) == pytest.approx(500)
    assert fitted(900, 0.34, 0.5, (432, 250)) == pytest.approx(500)
    assert fitted(900, 0.0, 0.0, (432, 868)) == 900


# What a walk changes of a view


def test_every_setting_of_a_view_is_known_to_this_blender():
    assert desk.VIEW.keys() <= set(bpy.types.SpaceView3D.bl_rna.properties.keys())
    assert desk.OVERLAY.keys() <= set(bpy.types.View3DOverlay.bl_rna.properties.keys())


# Keys and mouse


@pytest.fixture
def goes_on(body):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    innerwalk.register()
    current().error = ""
    actions.open_demo()
    (hall,) = store.halls()
    bpy.context.window.scene = hall
    yield desk_walk.AtDesk(hall, body)
    innerwalk.unregister()


def event(kind, value="PRESS", at=(0, 0), **more):
    told = dict.fromkeys(("shift", "ctrl", "alt", "oskey", "is_repeat"), False) | more
    return SimpleNamespace(type=kind, value=value, mouse_x=at[0], mouse_y=at[1], **told)


def aimed(goes_on, channel):
    """The eye looks at a tile from 2 m."""
    panel = panel_of(goes_on.walk.scene, LAYER)
    columns, rows, width, height = panel["innerwalk_grid"]
    row, column = divmod(channel, int(columns))
    at = world_of(panel)
    place = at @ Vector(((column + 0.5) * width, (rows - row - 0.5) * height, 0))
    normal = (at.to_quaternion() @ Vector((0, 0, 1))).normalized()
    goes_on.body.put(place + 2 * normal, (-normal).to_track_quat("-Z", "Y"))


def hand(goes_on):
    return goes_on.walk.hands[desk.EYE_NAME]


def test_a_key_leads_while_it_is_down(goes_on, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(desk_walk.time, "monotonic", lambda: clock[0])
    goes_on.then = clock[0]
    for kinds, shift, wanted in ((("W",), False, (0, 0.125, 0)), (("W", "D"), True, (0.375, 0.375, 0))):
        goes_on.body.put((0, 0, 1.7), desk.looking(0.0, -0.5))
        assert all(goes_on.take(event(kind, shift=shift)) for kind in kinds)
        clock[0] += 0.05
        goes_on._step()
        assert np.allclose(goes_on.body.eye()[:3, 3] - (0, 0, 1.7), wanted, atol=1e-5)
        for kind in kinds:
            goes_on.take(event(kind, "RELEASE", ctrl=True))
    assert goes_on.held == set()
    goes_on.take(event("S", "DOUBLE_CLICK"))
    assert goes_on.held == {"S"}
    clock[0] += 30.0
    before = goes_on.body.eye()[1, 3]
    goes_on._step()
    assert before - goes_on.body.eye()[1, 3] == pytest.approx(desk_walk.MOST * desk_walk.SPEED, abs=1e-5)
    assert not goes_on.take(event("WINDOW_DEACTIVATE", "NOTHING"))
    assert goes_on.held == set()


def test_the_mouse_looks_from_where_it_was(goes_on):
    assert goes_on.take(event("MOUSEMOVE", "NOTHING", (500, 400)))
    assert np.allclose(along(goes_on.body), (0, 1, 0), atol=1e-6)
    goes_on.take(event("INBETWEEN_MOUSEMOVE", "NOTHING", (600, 440)))
    wanted = desk.looking(-100 * desk_walk.GLANCE, 40 * desk_walk.GLANCE) @ Vector((0, 0, -1))
    assert np.allclose(along(goes_on.body), wanted, atol=1e-5)


@pytest.mark.parametrize(
    "one", [event("Z", ctrl=True), event("SPACE", ctrl=True), event("TIMER", "NOTHING"), event("S", oskey=True)]
)
def test_other_events_are_blenders(goes_on, one):
    before = goes_on.body.eye()
    assert not goes_on.take(one)
    assert np.array_equal(goes_on.body.eye(), before) and goes_on.held == set()


def test_nothing_is_taken_once_the_view_is_gone(goes_on):
    goes_on.take(event("MOUSEMOVE", "NOTHING", (500, 400)))
    goes_on.body.area = None
    assert not goes_on.take(event("MOUSEMOVE", "NOTHING", (600, 400))) and not goes_on.take(event("ESC"))
    assert not goes_on.walk.leaves


def test_a_click_picks_and_an_unknown_key_does_nothing(goes_on):
    aimed(goes_on, 5)
    assert goes_on.take(event("H")) and goes_on.take(event("LEFTMOUSE"))
    assert tuple(actions.selected(goes_on.walk.scene)) == (LAYER, 5)
    assert desk_drawing.pointed(goes_on.walk, goes_on.walk.scene) == "something"


def test_g_holds_while_it_is_down_and_the_wheel_scales(goes_on):
    aimed(goes_on, 5)
    scene, before = goes_on.walk.scene, np.array(world_of(panel_of(goes_on.walk.scene, LAYER)))
    goes_on.take(event("WHEELUPMOUSE"))
    goes_on.take(event("G"))
    grip = hand(goes_on).grip
    goes_on.take(event("G", is_repeat=True))
    assert grip is not None and hand(goes_on).grip is grip
    assert desk_drawing.pointed(goes_on.walk, scene) == "held"
    for kind, factor in (("WHEELUPMOUSE", 1.1), ("WHEELDOWNMOUSE", 1.0)):
        goes_on.take(event(kind))
        desk_walk.hand_actions.carry(goes_on.walk, scene)
        assert world_of(panel_of(scene, LAYER)).to_scale().x == pytest.approx(factor)
    goes_on.take(event("G", "RELEASE"))
    assert hand(goes_on).grip is None
    assert np.allclose(np.array(world_of(panel_of(scene, LAYER))), before, atol=1e-4)


def test_the_menu_is_closed_by_esc_before_the_walk_is(goes_on):
    for key in ("M", "TAB"):
        goes_on.take(event(key))
        assert goes_on.walk.board is not None
        goes_on.take(event("ESC"))
        assert goes_on.walk.board is None and not goes_on.walk.leaves
    goes_on.take(event("ESC"))
    assert goes_on.walk.leaves


@pytest.mark.parametrize(("label", "wanted"), [("Colours", "something"), ("Export", "nothing")])
def test_the_crosshair_tells_what_can_be_chosen(goes_on, label, wanted):
    goes_on.take(event("M"))
    board = goes_on.walk.board
    index = next(k for k, one in enumerate(board.page.items) if one.label.startswith(label))
    assert board.page.items[index].enabled == (wanted == "something")
    (left, right), (low, high) = menu.arrange(board.page).boxes[index]
    there = Vector((board.at @ [(left + right) / 2, (low + high) / 2, 0, 1])[:3])
    eye = Vector(goes_on.body.eye()[:3, 3])
    goes_on.body.put(eye, (there - eye).to_track_quat("-Z", "Y"))
    goes_on.walk.point(hand(goes_on), goes_on.body.eye())
    assert hand(goes_on).item == index
    assert desk_drawing.pointed(goes_on.walk, goes_on.walk.scene) == wanted


def test_places_and_turns_have_keys(goes_on):
    goes_on.take(event("N"))
    assert goes_on.walk.at == 1 and np.allclose(goes_on.body.eye()[:2, 3], goes_on.walk.places[1].place, atol=1e-5)
    goes_on.take(event("P"))
    assert goes_on.walk.at == 0
    goes_on.take(event("Z"))
    assert np.allclose(along(goes_on.body), (-0.5, math.sqrt(3) / 2, 0), atol=1e-5)
    goes_on.take(event("X"))
    assert np.allclose(along(goes_on.body), (0, 1, 0), atol=1e-5)


def test_nothing_is_said_of_the_floor(goes_on):
    goes_on.body.put((0.3, 0.0, 1.7), desk.looking(0.0, -1.2))
    goes_on.walk.point(hand(goes_on), goes_on.body.eye())
    assert hand(goes_on).hit is not None
    assert desk_drawing.pointed(goes_on.walk, goes_on.walk.scene) == "nothing"


@pytest.mark.parametrize("state", desk_drawing.TINTS)
def test_a_crosshair_is_open_in_its_middle_and_has_a_dark_rim(state):
    made = desk_drawing.crosshair(state)
    (left, right), (low, high) = made.bounds
    assert (-left, -low) == (right, high)
    reach = np.abs(made.points[:, :2]).max(1)
    assert reach.min() >= desk_drawing.GAP - desk_drawing.RIM
    tints = {tuple(np.round(one, 3)) for one in made.colours}
    assert len(tints) == 2


def test_a_second_walk_is_refused_in_one_line(goes_on):
    walk.begin(goes_on.walk)
    with pytest.raises(innerwalk.torch_bridge.recording.errors.SceneError, match="goes on already; leave it first"):
        desk_walk.begin(goes_on.walk.scene)
    walk.begin(None)
