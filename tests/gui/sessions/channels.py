"""Asks about channels: synthesises pictures of one layer in parts, explains a class and lays the map over the input."""

import bpy
import bridge_helpers as at
import session as rig

LAYER, METHOD = "stage3.1.conv2", "maximisation"


def session() -> rig.Steps:
    yield from at.in_hall("mine", "object")
    yield from synthesises()
    yield from explains()


def selects(channel: int) -> rig.Steps:
    """Looks at a tile from its reading point and clicks it."""
    with rig.view3d().context():
        bpy.ops.innerwalk.jump("EXEC_DEFAULT", True, layer=LAYER)
    yield 0.5
    yield from rig.click(at.tile(LAYER, channel))
    yield 0.3
    looked = at.addon("blender_addon.actions").selected(bpy.context.scene)
    rig.check("the tile that was clicked is looked at", tuple(looked) == (LAYER, channel))


def asks(method: str, **values: int) -> rig.Steps:
    """Chooses a method, fills in whole numbers and presses its button."""
    at.act("choose_method", method=method)
    bpy.context.scene.innerwalk.about = "layer"  # the channel that is selected would be first
    parameters = bpy.context.scene.innerwalk.parameters
    for name, value in values.items():
        parameters[name].int_value = value
    rig.region("UI").tag_redraw()
    yield 0.5
    place = yield from rig.button("innerwalk.ask_method")
    yield from rig.click(place)
    yield 0.3


def picture_count() -> int:
    """Number of tiles that have a picture."""
    maps = at.addon("blender_addon.scene.hall.store").read_maps(at.panels()[LAYER], LAYER, "now")
    return int(maps.texels[..., 3].any((1, 2)).sum()) if maps.colour else 0


def synthesises() -> rig.Steps:
    yield from selects(3)
    yield from asks(METHOD, steps=3000)
    yield from rig.until("pictures of some channels", lambda: 0 < picture_count() < 72, 120)
    rig.report("pictures that came first", picture_count())
    rig.check("it is asked about that layer alone", at.job()["what"]["layers"] == ["stage3.1.norm2"])
    place = yield from rig.button("innerwalk.cancel_method", right=0.9)
    yield from rig.click(place)
    yield from rig.until("the job's end", lambda: at.job()["state"] not in ("waiting", "running"), 120)
    rig.check("it is cancelled", at.job()["state"] == "cancelled")
    rig.check("what it has shown stays", 0 < picture_count() < 72)
    rig.look("RENDERED", camera=False)
    yield from rig.settled()
    rig.picture("partial pictures")
    rig.look("SOLID", camera=False)


def explains() -> rig.Steps:
    yield from asks("grad_cam")
    yield from rig.until("the job's end", lambda: at.job()["state"] == "done", 60)
    yield from selects_one()
    for _ in range(6):
        yield from rig.event("WHEELDOWNMOUSE", "PRESS", rig.middle(rig.region("UI")))
    yield 0.5
    place = yield from rig.button("innerwalk.overlay")
    yield from rig.click(place)
    yield 0.3
    scene = bpy.context.scene
    rig.check("it lies over the input", any(holder.get("innerwalk_role") == "overlay" for holder in scene.objects))
    with rig.view3d().context():
        bpy.ops.innerwalk.enter("EXEC_DEFAULT", True)
    rig.look("RENDERED", camera=False)
    yield from rig.settled()
    rig.picture("over the input")


def selects_one() -> rig.Steps:
    """Clicks the one map of the whole layer, which is channel 0."""
    yield from rig.click(at.middle(at.panels()[LAYER]))
    yield 0.5
    looked = at.addon("blender_addon.actions").selected(bpy.context.scene)
    rig.check("the layer's one map is looked at", tuple(looked) == (LAYER, 0))
