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
    yield from votes()


def paints(own: dict[str, np.ndarray]) -> rig.Steps:
    """A press changes the layer's maps there, and all that follows; a drag is one stroke."""
    place = tile(LAYER, 0)
    yield from rig.move(place)
    times, draws, handled = [], list[float](), list[float]()
    bpy.types.SpaceView3D.draw_handler_add(lambda: draws.append(time.perf_counter()), (), "WINDOW", "POST_PIXEL")
    ablating = at.addon("blender_addon.actions.ablating")
    paint_along = ablating.paint_along
    ablating.paint_along = lambda *arguments: handled.append(time.perf_counter()) or paint_along(*arguments)
    for number in range(3):
        spot = place[0] + 2 * number, place[1]
        tag, start = bpy.context.scene["innerwalk_look"], time.perf_counter()
        bpy.context.window_manager.windows[0].event_simulate(
            type="LEFTMOUSE", value="PRESS", x=round(spot[0]), y=round(spot[1])
        )
        while not changed(tag):
            if time.perf_counter() - start > 30:
                raise TimeoutError("the brush changed nothing")
            yield 0.005
        shown_at, count = time.perf_counter(), len(draws)
        yield from rig.until("the view is drawn", lambda: len(draws) > count, 30)  # noqa: B023 - called at once
        begun = handled[-1]
        times.append(
            {"to the event": begun - start, "to the maps": shown_at - begun, "to the pixels": draws[count] - begun}
        )
        yield from rig.event("LEFTMOUSE", "RELEASE", spot)
        yield 0.3
    ablating.paint_along = paint_along
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


def votes() -> rig.Steps:
    """Pictures are voted about, and the layer's channels that go with the wrong ones get a label."""
    for seed, artefact in ((9, True), (14, True), (3, False), (18, False)):
        yield from at.placed(noise=seed)
        at.act("vote_artefact", artefact=artefact)
    yield from looks_at(LAYER)
    yield from rig.click(tile(LAYER, 0))
    at.act("find_artefact_units", top=3)
    yield from rig.until("the labels", lambda: at.job()["state"] == "done", 60)
    labels = at.addon("blender_addon.scene.panels.concepts").read_concepts(at.panels()[LAYER])
    rig.check("three channels are labelled", [own.name for own in labels.values()] == ["artefact"] * 3)
    yield from shown("3 voted")
