"""At a bridge for longer: what is changed and undone, methods with partial results, files, a bridge that dies."""

import os
import signal

import at_the_bridge as at
import bpy
import numpy as np
import session as rig

LAYER = "stage2.0.conv1"


def session() -> rig.Steps:
    rig.install()
    yield from rig.maximise()
    yield from rig.sidebar("Innerwalk")
    rig.view3d().space.shading.type = "WIREFRAME"
    at.fill_in({"mine": "object"}, {"photos": str(rig.DATA / at.PHOTOS)})
    at.act("start_bridge")
    yield from at.ready()
    yield from at.built("mine")
    rig.look("SOLID", camera=False)
    yield from arranges()
    yield from changes_inputs()
    yield from changes_colours()
    yield from asks_methods()
    yield from exports()
    yield from reopens()
    yield from loses_the_bridge()
    yield from ends()


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
    seen = [id for id, one in at.panels().items() if one.visible_get()]
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


def placed(**given) -> rig.Steps:
    at.act("place_input", **given)
    yield from at.settled_input()


def changes_inputs() -> rig.Steps:
    yield from placed(noise=1)
    first = at.values()
    yield from placed(data="photos", index=7)
    second = at.values()
    rig.check("another input changes every panel", at.same(first, second) == [])
    yield from undo()
    yield from rig.until("the input before", lambda: at.equal(at.values(), first), 10)
    rig.check("undo shows the input before", True)
    shown = at.addon("blender_addon.scene.store").described(bpy.context.scene).input_name
    rig.check("and its name", shown == "noise:1")
    yield from undo(again=True)
    yield from rig.until("the input after", lambda: at.equal(at.values(), second), 10)
    rig.check("redo shows the other again", True)


def changes_colours() -> rig.Steps:
    scene, told = bpy.context.scene, at.addon("blender_addon.scene.look").told
    with rig.view3d().context():
        bpy.ops.innerwalk.show_look("EXEC_DEFAULT", True, ramp="ember", gain=3.0)
    rig.check("colours are changed", (told(scene)["ramp"], told(scene)["gain"]) == ("ember", 3.0))
    yield from undo()
    scene = bpy.context.scene
    rig.check("which is undone", (told(scene)["ramp"], told(scene)["gain"]) == ("signed", 1.0))


def job() -> dict:
    return at.live().jobs[bpy.context.scene["innerwalk_work"]]


def asks_methods() -> rig.Steps:
    before = at.values()
    at.act("choose_method", method="average")
    form = bpy.context.scene.innerwalk
    rig.check("its form is drawn", [one.name for one in form.parameters] == ["count", "seed"])
    bpy.context.scene.innerwalk.data = "photos"
    yield from asks("average", {"count": 2000}, data="object")
    yield from asks("occlusion", {"places": 64})
    at.act("ask_method", method="activations")
    yield 0.5
    rig.check("activations come back", at.equal(at.values(), before))


def asks(method: str, parameters: dict, data: str = "") -> rig.Steps:
    """Partial results arrive, and the job ends when it is told to."""
    at.act("ask_method", method=method, parameters=str(parameters).replace("'", '"'), data=data)
    yield from rig.until("the job", lambda: job()["share"] > 0, 30)
    states, shares = [at.values()], []
    for _ in range(3):
        yield from rig.until("a partial result", lambda: at.same(states[-1], at.values()) == [], 60)
        states.append(at.values())
        shares.append(job()["share"])
    rig.tell(f"{method}, shares", shares)
    rig.check(f"{method}: each partial result is further", 0 < shares[0] < shares[1] < shares[2] < 1)
    rig.picture(f"partial {method}")
    place = yield from rig.button("innerwalk.cancel_method", right=0.9)
    yield from rig.click(place)
    yield from rig.until("the job's end", lambda: job()["state"] not in ("waiting", "running"), 10)
    rig.check(f"{method} is cancelled", job()["state"] == "cancelled")


def exports() -> rig.Steps:
    at.act("jump", layer=LAYER)
    rig.check("a layer is looked at", bpy.context.scene["innerwalk_layer"] == LAYER)
    folder = rig.OUT / "exported"
    folder.mkdir()
    bpy.context.preferences.view.filebrowser_display_type = "SCREEN"
    at.act("export_layer")
    yield 0.5
    browser = next(one for one in bpy.context.window_manager.windows[0].screen.areas if one.type == "FILE_BROWSER")
    browser.spaces.active.params.directory = str(folder).encode()
    yield 0.5
    rig.picture("export")
    window = bpy.context.window_manager.windows[0]
    with bpy.context.temp_override(window=window, area=browser, region=rig.region("WINDOW", browser)):
        bpy.ops.file.execute("INVOKE_DEFAULT")
    yield from rig.until("the files", lambda: any(not one.name.startswith(".") for one in folder.iterdir()), 30)
    rig.tell("exported", sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file())[:8])
    (values,) = folder.rglob("*.safetensors")
    arrays, about = at.addon("torch_bridge.wire").open_arrays(values)
    rig.tell("arrays", {name: list(np.shape(one)) for name, one in arrays.items()})
    rig.tell("about", about)


def reopens() -> rig.Steps:
    before, path = at.values(), "/tmp/hall.blend"
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    yield 0.5
    rig.check("the reopened hall holds the same", at.equal(at.values(), before))
    rig.check("and follows its network", bpy.context.scene.get("innerwalk_network") == "mine")
    yield from placed(noise=9)
    rig.check("it takes another input", at.same(before, at.values()) == [])


def loses_the_bridge() -> rig.Steps:
    at.act("ask_method", method="average", parameters='{"count": 5000}', data="photos")
    yield from rig.until("the job", lambda: job()["state"] == "running", 10)
    os.kill(at.live().link.child.process.pid, signal.SIGKILL)
    yield from rig.until("that it has ended", lambda: at.live().state == "ended", 10)
    yield from rig.sidebar("Innerwalk")
    yield 0.3
    rig.picture("lost")
    rig.tell("lost", at.live().error)
    rig.check("it is told how", "SIGKILL" in at.live().error)
    place = yield from rig.button("innerwalk.start_bridge")
    yield from rig.click(place)
    yield from at.ready()
    before = at.values()
    yield from placed(noise=11)
    rig.check("it can be started again, and the hall follows", at.same(before, at.values()) == [])
    rig.check("what went wrong is over", at.live().error == "")


def ends() -> rig.Steps:
    child = at.live().link.child.process
    place = yield from rig.button("innerwalk.leave_bridge", right=0.8)
    yield from rig.click(place)
    rig.check("it is left", at.live().state == "off")
    yield from rig.until("the child's end", lambda: child.poll() is not None, 10)
    left = at.live
    bpy.ops.preferences.addon_disable(module="bl_ext.user_default.innerwalk")
    yield 0.3
    kinds = [one for one in vars(type(bpy.app.handlers)) if isinstance(getattr(bpy.app.handlers, one, None), list)]
    handlers = [one for kind in kinds for one in getattr(bpy.app.handlers, kind) if "innerwalk" in one.__module__]
    rig.check("no handler is left", handlers == [])
    rig.check("no operator is left", not hasattr(bpy.types, "INNERWALK_OT_start_bridge"))
    rig.picture("disabled")
