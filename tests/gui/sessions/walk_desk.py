"""A desktop walk through a small hall, by keys and mouse in a 3D view; afterwards all settings are restored."""

import math
import shutil
import time
from pathlib import Path

import bpy
import bridge_helpers as at
import numpy as np
import session as rig
import walk_helpers
from mathutils import Quaternion, Vector

LAYER, CHANNEL = "stem.conv", 5
SPEED, FAST, MOUSE_SPEED = 2.5, 3.0, 0.0025


def session() -> rig.Steps:
    rig.install()
    yield from rig.maximise()
    rig.open_object()
    bpy.context.scene.eevee.taa_samples = 1
    rig.look("WIREFRAME", camera=False)
    rig.view3d().space.show_region_ui = True
    yield 1.0
    before = settings()
    yield from begins()
    cost = Cost()
    yield from looks()
    yield from walks()
    yield from goes()
    yield from picks()
    start = yield from carries()
    yield from undoes(start)
    yield from chooses()
    rig.report("cost ms", cost.summary())
    yield from takes_pictures()
    yield from leaves(before)
    yield from renders_pictures()
    yield from changes_areas()


def begin() -> rig.Steps:
    yield from rig.move(middle())
    at.act("walk_at_desk")
    yield from rig.until("the walk", lambda: walk_helpers.walk() is not None and hand().tracked, 120)
    yield 0.3


def begins() -> rig.Steps:
    yield from begin()
    rig.check("stands at the entrance", walk_helpers.near(eye()[:3, 3], (0, -1.2, 1.7), 1e-3))
    space = rig.view3d().space
    rig.check("the view is a walk's", not space.overlay.show_floor and not space.show_region_ui and space.lens == 36)
    yield from seen("entrance")
    try:
        at.act("walk_at_desk")
        rig.check("a second walk is refused", False)
    except RuntimeError as error:
        rig.report("refused", str(error))
        rig.check("a second walk is refused in one line", str(error).strip().endswith("end it first"))
    rig.check("and the first goes on", walk_helpers.walk() is not None)


def looks() -> rig.Steps:
    """The mouse turns the eye; the horizon stays level and the pitch is limited."""
    yield from still()
    x, y = middle()
    yaw, pitch = angles()
    yield from rig.event("MOUSEMOVE", "NOTHING", (x + 100, y + 40))
    yield 0.1
    turned = np.subtract(angles(), (yaw, pitch))
    rig.check("the mouse turns the eye", walk_helpers.near(turned, (-100 * MOUSE_SPEED, 40 * MOUSE_SPEED), 1e-3))
    rig.report("turned", turned.tolist())
    yield from rig.event("MOUSEMOVE", "NOTHING", (x, y + 440))
    yield from rig.event("MOUSEMOVE", "NOTHING", (x, y))
    yield from rig.event("MOUSEMOVE", "NOTHING", (x, y + 440))
    yield 0.1
    rig.check("but not over the head", angles()[1] < math.radians(86))
    rig.check("the horizon is level", abs(eye()[2, 0]) < 1e-4)


def walks() -> rig.Steps:
    """Held keys move the walker parallel to the floor, whatever the pitch."""
    ahead = {"W": (0, 1), "S": (0, -1), "A": (-1, 0), "D": (1, 0)}
    for key, way in ahead.items():
        aim((0.0, 4.0, 1.7), (1.0, 5.0, 1.2))
        moved, passed = yield from held(key)
        forth, side = np.array((1, 1)) / math.sqrt(2), np.array((1, -1)) / math.sqrt(2)
        wanted = way[0] * side + way[1] * forth
        rig.check(f"{key} leads in its direction", np.dot(moved[:2], wanted) > 0.99 * np.linalg.norm(moved))
        rig.check(f"{key} as far as it should", near_share(float(np.linalg.norm(moved)), SPEED * passed))
        rig.check(f"{key} stays as high", abs(moved[2]) < 1e-4)
    for key, up in {"E": 1, "Q": -1}.items():
        moved, passed = yield from held(key)
        rig.check(f"{key} leads up or down", walk_helpers.near(moved[:2], (0, 0), 1e-4) and moved[2] * up > 0.2)
    aim((0.0, 4.0, 1.7), (0.0, 9.0, 1.7))
    moved, passed = yield from held("W", shift=True)
    rig.check("Shift is fast", near_share(moved[1], SPEED * FAST * passed))


def held(key: str, **more) -> rig.Steps:
    """Holds a key for a while; returns the movement and its seconds."""
    start, clock = eye()[:3, 3].copy(), desk().last_step
    yield from rig.event(key, "PRESS", middle(), **more)
    yield 0.4
    moved, passed = eye()[:3, 3] - start, desk().last_step - clock
    yield from rig.event(key, "RELEASE", middle(), **more)
    yield 0.2
    after = eye()[:3, 3].copy()
    yield 0.2
    rig.check(f"{key} ends when it is let go", walk_helpers.near(eye()[:3, 3], after, 1e-6))
    return moved, passed


def near_share(found: float, most: float) -> bool:
    """Whether a distance is plausible: late ticks count for less, on a busy machine for much less."""
    return 0.02 * most < found <= 1.02 * most


def goes() -> rig.Steps:
    """Keys and clicks lead from place to place and turn the walker."""
    walk = walk_helpers.walk()
    for key, index, place in (("N", 1, "the next place"), ("P", 0, "the previous place")):
        yield from rig.press(key, middle())
        yield 0.1
        is_there = walk_helpers.near(eye()[:2, 3], walk.landmarks[index].position, 1e-3)
        rig.check(f"{key}: {place}", is_there and walk.landmark_index == index)
    yaw = angles()[0]
    yield from rig.press("Z", middle())
    rig.check("Z turns to the left", abs(math.degrees(angles()[0] - yaw) - 30) < 0.1)
    yield from rig.press("X", middle())
    rig.check("X turns to the right", abs(angles()[0] - yaw) < 0.01)
    to = walk_helpers.floor(2.0)
    aim(eye()[:3, 3], to)
    yield from seen("floor")
    yield from rig.press("LEFTMOUSE", middle())
    yield 0.1
    rig.check("a click on the floor leads there", walk_helpers.near(eye()[:3, 3], (*to[:2], 1.7), 0.05))


def picks() -> rig.Steps:
    place, normal = walk_helpers.tile(LAYER, CHANNEL)
    aim(place + normal * 2.2, place)
    yield 0.3
    hit = hand().hit
    rig.check("meets the tile", hit is not None and (hit.layer, hit.channel) == (LAYER, CHANNEL))
    rig.check("the crosshair says so", desk().drawing.cross_state == "something")
    yield from rig.press("LEFTMOUSE", middle())
    found = at.addon("blender_addon.actions").selected(bpy.context.scene)
    rig.check("the channel is inspected", tuple(found) == (LAYER, CHANNEL))
    yield from rig.until("the card", lambda: card().content.title == f"{LAYER} · {CHANNEL}", 120)
    rig.check("with its map", card().content.picture is not None)
    yield from seen("picked")
    rig.check("which is drawn", bool(card().canvas.pictures))


def carries() -> rig.Steps:
    """G grips a panel while it is pressed: the panel follows the eye, and the wheel scales it."""
    panel = at.panels()[LAYER]
    start, size = panel.matrix_world.translation.copy(), panel.matrix_world.to_scale().x
    yield from rig.event("G", "PRESS", middle())
    rig.check("G holds the panel", hand().grip is not None and hand().grip.layer == LAYER)
    yield from still()
    x, y = middle()
    yield from rig.event("MOUSEMOVE", "NOTHING", (x + 60, y))
    yield 0.1
    panel = at.panels()[LAYER]
    rig.check("it goes with the eye", (panel.matrix_world.translation - start).length > 0.2)
    for _ in range(2):
        yield from rig.event("WHEELUPMOUSE", "PRESS", (x + 60, y))
    yield 0.1
    rig.check("the wheel scales it", abs(at.panels()[LAYER].matrix_world.to_scale().x - size * 1.21) < 1e-3)
    rig.check("the crosshair holds", desk().drawing.cross_state == "held")
    yield from seen("carried")
    yield from rig.event("G", "RELEASE", (x + 60, y))
    yield 0.2
    there = at.panels()[LAYER].matrix_world.copy()
    yield from rig.event("MOUSEMOVE", "NOTHING", (x - 60, y))
    yield 0.1
    rig.check("it stays where it was let go", walk_helpers.near(at.panels()[LAYER].matrix_world, there, 1e-6))
    rig.check("and a message says so", "moved" in walk_helpers.walk().message)
    return start


def undoes(start: Vector) -> rig.Steps:
    """Ctrl+Z is Blender's undo and doesn't turn the walker; the walk continues."""
    there = at.panels()[LAYER].matrix_world.copy()
    yaw = angles()[0]
    yield from rig.press("Z", middle(), ctrl=True)
    yield 0.5
    rig.check(
        "Ctrl+Z hangs the panel back", walk_helpers.near(at.panels()[LAYER].matrix_world.translation, start, 1e-4)
    )
    yield from rig.press("Z", middle(), ctrl=True, shift=True)
    yield 0.5
    rig.check("and redo", walk_helpers.near(at.panels()[LAYER].matrix_world, there, 1e-4))
    rig.check("nobody was turned", abs(angles()[0] - yaw) < 1e-3)
    moved, _ = yield from held("S")
    rig.check("and the walk goes on", np.linalg.norm(moved) > 0.2)
    at.act("reset_layout")
    yield 0.2


def chooses() -> rig.Steps:
    """Chooses another colour map from the menu with the crosshair."""
    place, normal = walk_helpers.tile(LAYER, CHANNEL)
    aim(place + normal * 2.2, place)
    yield from rig.press("M", middle())
    yield 0.2
    rig.check("M opens the menu", walk_helpers.walk().menu is not None)
    for label in ("Colours", "Ember"):
        aim(eye()[:3, 3], walk_helpers.entry(label))
        yield from seen(f"menu {label}")
        yield from rig.press("LEFTMOUSE", middle())
        yield 0.2
    colours = at.addon("blender_addon.scene.materials.colour_settings").read_scene_colours(bpy.context.scene)
    rig.check("the menu changes the colours", colours["colour_map"] == "ember")
    yield from rig.press("ESC", middle())
    yield 0.2
    rig.check("Esc closes the menu first", walk_helpers.walk() is not None and walk_helpers.walk().menu is None)


def takes_pictures() -> rig.Steps:
    aim((0.4, 2.0, 1.7), (0.0, 9.0, 1.5))
    yield from still()
    yield from seen("before the picture")
    start = time.monotonic()
    yield from rig.press("C", middle())
    rig.check("a picture is taken", "1 to be rendered" in walk_helpers.walk().message)
    rig.report("taking a picture", time.monotonic() - start)
    rig.check("it is small", width(pictures()[0]) == 480)


def pictures() -> list[Path]:
    return sorted((at.addon("blender_addon.actions.pictures").own_folder() / "pictures").glob("*.png"))


def width(png: Path) -> int:
    return int.from_bytes(png.read_bytes()[16:20], "big")


def renders_pictures() -> rig.Steps:
    yield from rig.until("the whole picture", lambda: width(pictures()[0]) == 1920, 120)
    shutil.copy(pictures()[0], rig.OUT / "taken.png")


def leaves(before: dict) -> rig.Steps:
    there, drawing = eye(), desk().drawing
    yield from rig.press("ESC", middle())
    yield from ended()
    rig.check("nothing is drawn after the end", drawing._handlers == [])
    view = np.array(rig.view3d().space.region_3d.view_matrix.inverted())
    rig.check("the viewpoint stays", walk_helpers.near(view, there, 1e-4))
    after = settings()
    rig.report("changed", {key: [str(before[key]), str(after[key])] for key in before if before[key] != after[key]})
    rig.check("the view is as before", before == after)
    yield from seen("left")


def ended() -> rig.Steps:
    yield from rig.until("the end", lambda: walk_helpers.walk() is None, 120)
    yield 0.3
    desk_walk = at.addon("blender_addon.vr.desk.desk_walk")
    rig.check("the walk has ended", desk_walk.current() is None)
    rig.check("its timer has ended", not bpy.app.timers.is_registered(desk_walk._tick))
    rig.check("no operator is running", len(bpy.context.window_manager.windows[0].modal_operators) == 0)


def changes_areas() -> rig.Steps:
    """The walk continues while its view changes size, and ends when the view is closed or shows another editor."""
    before = settings()
    yield from begin()
    yield from rig.maximise()
    rig.check("the walk goes on in the small view", walk_helpers.walk() is not None and rig.view3d().area.width < 1400)
    moved, _ = yield from held("W")
    rig.check("and its keys", np.linalg.norm(moved) > 0.2)
    yield from seen("small")
    yield from rig.press("ESC", middle())
    yield from ended()
    rig.check("that view is as before", before == settings())
    yield from begin()
    with rig.view3d().context():
        bpy.ops.screen.area_split(direction="VERTICAL", factor=0.4)
    yield 0.3
    rig.check("another view changes nothing", walk_helpers.walk() is not None)
    address = desk().body.view
    area = next(area for area in window().screen.areas if area.spaces.active.as_pointer() == address)
    with bpy.context.temp_override(window=window(), area=area):
        bpy.ops.screen.area_close()
    yield from rig.move((300, 300))
    yield from ended()
    yield from begin()
    desk().body.area.type = "IMAGE_EDITOR"
    yield from rig.move((320, 300))
    yield from ended()
    rig.check("Blender is still running", len(at.panels()) == 23)


# Helpers


def seen(name: str) -> rig.Steps:
    """Takes a picture of the window with colours, which are off otherwise, as they take software a while."""
    shading = rig.view3d().space.shading
    shading.type = "RENDERED"
    yield from rig.settled()
    rig.picture(name)
    rig.view3d().space.shading.type = "WIREFRAME"
    yield 0.2


def window() -> bpy.types.Window:
    return bpy.context.window_manager.windows[0]


def desk():
    return at.addon("blender_addon.vr.desk.desk_walk").current()


def hand():
    return walk_helpers.walk().hands["eye"]


def card():
    return desk().drawing.card


def middle() -> rig.Place:
    return rig.middle(rig.view3d().region)


def still() -> rig.Steps:
    """Moves the pointer to the middle without turning the eye, so that only later moves count."""
    before = eye()
    yield from rig.event("MOUSEMOVE", "NOTHING", middle())
    yield 0.1
    aim(before[:3, 3], before[:3, 3] - before[:3, 2])
    yield 0.1


def eye() -> np.ndarray:
    return desk().body.eye()


def angles() -> tuple[float, float]:
    """Yaw and pitch of the eye."""
    along = -eye()[:3, 2]
    return math.atan2(-along[0], along[1]), math.asin(along[2])


def aim(place, towards) -> None:
    """Puts the eye at a place and makes it look at another."""
    turn: Quaternion = Vector(np.subtract(towards, place)).to_track_quat("-Z", "Y")
    desk().body.set_pose(place, turn)


def settings() -> dict:
    """Settings and numbers of data-blocks that a walk must restore."""
    space = rig.view3d().space
    values = {f"view {name}": plain(space, name) for name in names(space)}
    values |= {f"overlay {name}": plain(space.overlay, name) for name in names(space.overlay)}
    values |= {f"shading {name}": plain(space.shading, name) for name in ("type", "light", "color_type")}
    blocks = {kind: len(getattr(bpy.data, kind)) for kind in ("meshes", "images", "objects", "fonts", "materials")}
    return values | blocks


def names(owner) -> list[str]:
    return [each.identifier for each in owner.bl_rna.properties if each.type not in ("POINTER", "COLLECTION")]


def plain(owner, name: str):
    value = getattr(owner, name)
    return tuple(value) if hasattr(value, "__len__") and not isinstance(value, str) else value


class Cost:
    """Measures the extension's thread seconds: the walk's timer, its drawing, its events."""

    def __init__(self) -> None:
        self.spans: dict[str, list[float]] = {}
        desk_walk, drawing = at.addon("blender_addon.vr.desk.desk_walk"), at.addon("blender_addon.vr.desk.desk_drawing")
        walk = desk_walk.DeskWalk
        for owner, name in ((walk, "tick"), (walk, "handle_event"), (drawing.DeskDrawing, "draw")):
            setattr(owner, name, self.timed(name, getattr(owner, name)))

    def timed(self, name, work):
        def run(*positional):
            start = time.thread_time()
            try:
                return work(*positional)
            finally:
                self.spans.setdefault(name, []).append(time.thread_time() - start)

        return run

    def summary(self) -> dict:
        """Milliseconds (median, 99 %) and number of calls, by name."""
        return {name: [round(float(np.percentile(spans, share)) * 1e3, 3) for share in (50, 99)] + [len(spans)]
                for name, spans in self.spans.items()}  # fmt: skip
