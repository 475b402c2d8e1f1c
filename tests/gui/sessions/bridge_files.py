"""Exports files, saves and opens a hall again, kills, restarts and leaves the bridge, and disables the extension."""

import os
import signal

import bpy
import bridge_helpers as at
import numpy as np
import session as rig

LAYER = "stage2.0.conv1"


def session() -> rig.Steps:
    yield from at.in_hall("mine", "object")
    yield from exports()
    yield from reopens()
    yield from loses_the_bridge()
    yield from ends()


def exports() -> rig.Steps:
    at.act("jump", layer=LAYER)
    rig.check("a layer is looked at", bpy.context.scene["innerwalk_layer"] == LAYER)
    folder = rig.OUT / "exported"
    folder.mkdir()
    at.act("export_layer")
    windows = bpy.context.window_manager.windows
    yield from rig.until("the file browser", lambda: len(windows) == 2)
    window, browser = windows[1], windows[1].screen.areas[0]
    browser.spaces.active.params.directory = str(folder).encode()
    yield 0.5
    rig.picture("export")
    with bpy.context.temp_override(window=window, area=browser, region=rig.region("WINDOW", browser)):
        bpy.ops.file.execute("INVOKE_DEFAULT")
    yield from rig.until("the files", lambda: any(not path.name.startswith(".") for path in folder.iterdir()))
    yield from rig.until("the file browser's end", lambda: len(windows) == 1)
    rig.report("pictures", len([*folder.rglob("*.png")]))
    rig.report("table", next(folder.rglob("*.csv")).read_text().count("\n"))
    (values,) = folder.rglob("*.safetensors")
    arrays, _ = at.addon("torch_bridge.recording.safetensors").open_arrays(values)
    maps = at.addon("blender_addon.scene.panels.values").map_of(at.panels()[LAYER], 5)
    rig.check("exported values are the panel's", np.array_equal(arrays[LAYER][5], maps))


def reopens() -> rig.Steps:
    before, path = at.values(), "/tmp/hall.blend"
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    yield 0.5
    rig.check("the reopened hall holds the same", at.equal(at.values(), before))
    rig.check("and follows its network", bpy.context.scene.get("innerwalk_network") == "mine")
    yield from at.placed(noise=9)
    rig.check("it takes another input", at.unchanged(before, at.values()) == [])


def loses_the_bridge() -> rig.Steps:
    at.act("ask_method", method="average", parameters='{"count": 5000}', data="photos")
    yield from rig.until("the job", lambda: at.job()["state"] == "running", 120)
    os.kill(at.live().link.child.process.pid, signal.SIGKILL)
    yield from rig.until("that it has ended", lambda: at.live().state == "ended", 120)
    yield from rig.sidebar("Innerwalk")
    yield 0.3
    rig.picture("lost")
    rig.report("lost", at.live().error)
    rig.check("the error names the signal", "SIGKILL" in at.live().error)
    place = yield from rig.button("innerwalk.start_bridge")
    yield from rig.click(place)
    yield from at.ready()
    at.act("ask_method", method="activations")
    yield 0.5
    before = at.values()
    yield from at.placed(noise=11)
    rig.check("it can be started again, and the hall follows", at.unchanged(before, at.values()) == [])
    rig.check("what went wrong is over", at.live().error == "")


def ends() -> rig.Steps:
    child = at.live().link.child.process
    place = yield from rig.button("innerwalk.leave_bridge", right=0.8)
    yield from rig.click(place)
    rig.check("it is left", at.live().state == "off")
    yield from rig.until("the child's end", lambda: child.poll() is not None, 120)
    bpy.ops.preferences.addon_disable(module="bl_ext.user_default.innerwalk")
    yield 0.3
    kinds = [name for name in vars(type(bpy.app.handlers)) if isinstance(getattr(bpy.app.handlers, name, None), list)]
    handlers = [each for kind in kinds for each in getattr(bpy.app.handlers, kind) if "innerwalk" in each.__module__]
    rig.check("no handler is left", handlers == [])
    rig.check("no operator is left", not hasattr(bpy.types, "INNERWALK_OT_start_bridge"))
    rig.picture("disabled")
