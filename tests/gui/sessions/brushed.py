"""A brush in a window: it paints on a generator's maps where the mouse is dragged, and undo takes a stroke back."""

import time

import bpy
import bridge_helpers as at
import numpy as np
import session as rig
from dissected import looks_at, opened, shown, tile

LAYER, SHOWN = "up3.up", "up3.norm"
CHANNELS = "0-39"


def session() -> rig.Steps:
    rig.install()
    yield from rig.maximise()
    yield from rig.sidebar("Innerwalk")
    rig.view3d().space.shading.type = "WIREFRAME"
    at.fill_in({"generator": "generator"}, {})
    at.act("start_bridge")
    yield from at.ready()
    yield from at.built("generator")
    rig.look("SOLID", camera=False)
    opened("channel")
    yield from looks_at(LAYER)
    own = at.values()
    yield from rig.click(tile(LAYER, 0))
    yield 0.3
    rig.picture("1 a tile is selected")
    at.act("take_brush", layer=LAYER, channels=CHANNELS, size=0.3)
    yield from paints(own)
    yield from undoes(own)


def paints(own: dict[str, np.ndarray]) -> rig.Steps:
    """A press changes the layer's maps there, and all that follows; a drag is one stroke."""
    place = tile(LAYER, 0)
    yield from rig.move(place)
    times = []
    for number in range(3):
        spot = place[0] + 2 * number, place[1]
        tag, start = bpy.context.scene["innerwalk_look"], time.perf_counter()
        bpy.context.window_manager.windows[0].event_simulate(
            type="LEFTMOUSE", value="PRESS", x=round(spot[0]), y=round(spot[1])
        )
        steps = dict[str, float]()
        while not changed(tag):
            now = time.perf_counter() - start
            if now > 30:
                raise TimeoutError("the brush changed nothing")
            if bpy.context.scene["innerwalk_look"] != tag:
                steps.setdefault("handled", now)
            yield 0.005
        steps["shown"] = time.perf_counter() - start
        times.append(steps)
        yield from rig.event("LEFTMOUSE", "RELEASE", spot)
        yield 0.3
    rig.report("seconds from brush to picture", times)
    now = at.values()
    middle = now[SHOWN].shape[1] // 2
    rig.check(
        "the channels are 0 there", not now[SHOWN][:, middle, middle].any() and own[SHOWN][:, middle, middle].any()
    )
    rig.check("elsewhere they are as before", np.array_equal(now[SHOWN][:, 0], own[SHOWN][:, 0]))
    rig.check("layers before it are too", np.array_equal(now["up2.norm"], own["up2.norm"]))
    rig.check("the picture has changed", not np.array_equal(now["picture"], own["picture"]))
    rig.check("the click selected nothing else", bpy.context.scene["innerwalk_channel"] == 0)
    yield from shown("2 painted")


def changed(tag: str) -> bool:
    """Whether another input than that of this tag is shown."""
    scene = bpy.context.scene
    hall = at.live().halls.get(scene.session_uid)
    return scene["innerwalk_look"] not in (tag, "") and hall is not None and hall.shown == scene["innerwalk_look"]


def undoes(own: dict[str, np.ndarray]) -> rig.Steps:
    for _ in range(3):
        yield from rig.press("Z", rig.middle(rig.view3d().region), ctrl=True)
        yield 1.0
    yield from rig.until("the whole picture", lambda: at.equal(at.values(), own), 60)
    rig.check("undo takes the strokes back", "innerwalk_strokes" not in bpy.context.scene)
    at.act("put_brush_away")
    rig.check("the brush is away", "innerwalk_brush" not in bpy.context.scene)
