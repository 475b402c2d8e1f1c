"""Changes in a hall with a bridge: arranging, inputs, colours, their undo, and methods with partial results."""

import bpy
import bridge_helpers as at
import session as rig

LAYER = "stage2.0.conv1"


def session() -> rig.Steps:
    yield from at.in_hall("mine", "object")
    yield from arranges()
    yield from changes_inputs()
    yield from changes_colours()
    yield from asks_methods()


def undo(again: bool = False) -> rig.Steps:
    yield from rig.press("Z", rig.middle(rig.view3d().region), ctrl=True, **({"shift": True} if again else {}))
    yield 0.3


def arranges() -> rig.Steps:
    place = at.panels()[LAYER].location.copy()
    at.act("move", layer=LAYER, by=(0.0, 0.0, 0.5))
    at.act("scale", layer=LAYER, factor=1.5)
    at.act("hide", layer=LAYER)
    at.act("solo", layer="stem.conv")
    yield 0.3
    seen = [id for id, panel in at.panels().items() if panel.visible_get()]
    rig.check("one panel alone is seen", seen == ["stem.conv"])
    for _ in range(2):
        yield from undo()
    panel = at.panels()[LAYER]
    rig.check("solo and hiding are undone", panel.visible_get() and abs(panel.scale.x - 1.5) < 1e-5)
    yield from undo()
    yield from undo()
    rig.check("scaling and moving are undone", (at.panels()[LAYER].location - place).length < 1e-5)
    yield from undo(again=True)
    rig.check("moving is done again", abs(at.panels()[LAYER].location.z - place.z - 0.5) < 1e-5)
    at.act("reset_layout")
    rig.check("the layout is reset", (at.panels()[LAYER].location - place).length < 1e-5)


def changes_inputs() -> rig.Steps:
    yield from at.placed(noise=1)
    first = at.values()
    yield from at.placed(data="photos", index=7)
    second = at.values()
    rig.check("another input changes every panel", at.unchanged(first, second) == [])
    yield from undo()
    yield from rig.until("the input before", lambda: at.equal(at.values(), first), 120)
    rig.check("undo shows the input before", True)
    store = at.addon("blender_addon.scene.hall.store")
    yield from rig.until("its name", lambda: store.read_description(bpy.context.scene).input_name == "noise:1", 120)
    yield from undo(again=True)
    yield from rig.until("the input after", lambda: at.equal(at.values(), second), 120)
    rig.check("redo shows the other again", True)


def changes_colours() -> rig.Steps:
    scene, read = bpy.context.scene, at.addon("blender_addon.scene.materials.colour_settings").read_scene_colours
    with rig.view3d().context():
        bpy.ops.innerwalk.show_look("EXEC_DEFAULT", True, colour_map="ember", gain=3.0)
    rig.check("colours are changed", (read(scene)["colour_map"], read(scene)["gain"]) == ("ember", 3.0))
    yield from undo()
    scene = bpy.context.scene
    rig.check("which is undone", (read(scene)["colour_map"], read(scene)["gain"]) == ("signed", 1.0))


def asks_methods() -> rig.Steps:
    before = at.values()
    at.act("choose_method", method="average")
    form = bpy.context.scene.innerwalk
    rig.check("its form is drawn", [parameter.name for parameter in form.parameters] == ["count", "seed"])
    bpy.context.scene.innerwalk.data = "photos"
    yield from asks("average", {"count": 2000}, data="object")
    yield from asks("occlusion", {"size": 0.02, "stride": 0.05}, click=False)
    at.act("ask_method", method="activations")
    yield from rig.until("the activations", lambda: at.equal(at.values(), before), 120)


def asks(method: str, parameters: dict, data: str = "", click: bool = True) -> rig.Steps:
    """Partial results arrive and the job is cancelled; click: by the cross beside its progress.

    Finding that button takes seconds, in which a short job would finish.
    """
    at.act("ask_method", method=method, parameters=str(parameters).replace("'", '"'), data=data)
    yield from rig.until("the job", lambda: at.job()["share"] > 0, 120)
    states, shares = [at.values()], []
    for _ in range(3):
        yield from rig.until("a partial result", lambda: at.unchanged(states[-1], at.values()) == [], 60)
        states.append(at.values())
        shares.append(at.job()["share"])
    rig.report(f"{method}, shares", shares)
    rig.check(f"{method}: each partial result is further", 0 < shares[0] < shares[1] < shares[2] < 1)
    rig.picture(f"partial {method}")
    if click:
        place = yield from rig.button("innerwalk.cancel_method", right=0.9)
        yield from rig.click(place)
    else:
        at.act("cancel_method")
    yield from rig.until("the job's end", lambda: at.job()["state"] not in ("waiting", "running"), 120)
    rig.check(f"{method} is cancelled", at.job()["state"] == "cancelled")
