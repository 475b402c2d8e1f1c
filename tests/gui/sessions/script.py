"""The template of the text editor is opened from its menu and run; then scripts go on, and undo takes them back."""

from functools import partial
from pathlib import Path

import bpy
import bridge_helpers as at
import numpy as np
import session as rig

GOES_ON = """
from bl_ext.user_default.innerwalk.blender_addon.scripting import Hall
(hall,) = Hall.all()
hall.show_activations()
hall.place("noise:7", wait=False)
hall.scene["placed"], hall.scene["wanted"] = hall.input_name, "noise:7"
"""
WAITS = """
from bl_ext.user_default.innerwalk.blender_addon.scripting import Hall
(hall,) = Hall.all()
hall.place("noise:8", wait=False).wait()
hall.scene["waited"], hall.scene["wanted"] = hall.input_name, "noise:8"
"""


HIDDEN = [
    f"stage1.{name}" for name in ("0.conv1", "0.conv2", "0.shortcut.conv", "0:add", "1.conv1", "1.conv2", "1:add")
]


def session() -> rig.Steps:
    rig.install()
    at.addon("blender_addon.ui.bridge.settings").bridge_settings(bpy.context).python = rig.PYTHON
    window().workspace = bpy.data.workspaces["Scripting"]
    yield 0.5
    yield from opens()
    yield from runs()
    yield from goes_on()


def window() -> bpy.types.Window:
    return bpy.context.window_manager.windows[0]


def editor() -> bpy.types.Area:
    return next(area for area in window().screen.areas if area.type == "TEXT_EDITOR")


def pointer() -> rig.Place:
    """A place in the text editor."""
    return rig.middle(rig.region("WINDOW", editor()))


def undo() -> rig.Steps:
    yield from rig.press("Z", rig.middle(rig.view3d().region), ctrl=True)
    yield 0.5


def opens() -> rig.Steps:
    """Takes the last entry of Templates > Python."""
    yield from rig.move(pointer())
    with bpy.context.temp_override(window=window(), area=editor(), region=rig.region("WINDOW", editor())):
        bpy.ops.wm.call_menu("INVOKE_DEFAULT", name="TEXT_MT_templates_py")
    yield 0.3
    rig.picture("1 menu")
    for key in ("UP_ARROW", "RET"):
        yield from rig.press(key, pointer())
    yield 0.3
    text = editor().spaces.active.text
    rig.check("the menu opens the script", text is not None and text.name == "innerwalk_hall.py")
    rig.check("it imports this installation", "from bl_ext.user_default.innerwalk.blender_addon" in text.as_string())


def run() -> rig.Steps:
    """Runs the text that is shown, by its key."""
    yield from rig.move(pointer())
    yield from rig.press("P", pointer(), alt=True)


def runs() -> rig.Steps:
    yield from run()
    files = [Path(bpy.app.tempdir) / name for name in ("hall.png", "object_hall.blend")]
    rig.check("its hall is shown", bpy.context.scene.get("innerwalk_network") == "object")
    rig.check("its files are written", all(file.stat().st_size > 20_000 for file in files))
    rig.check("panels hold what another client receives", at.equal(at.values(), grad_cam()))
    rig.check("panels are hidden", [id for id, panel in at.panels().items() if not panel.visible_get()] == HIDDEN)
    rig.look(camera=False)
    rig.view3d().space.overlay.show_overlays = False
    yield from rig.settled()
    rig.picture("2 run")
    rig.look("SOLID", camera=False)


def grad_cam() -> dict[str, np.ndarray]:
    """What the bridge computes for another client; the panel of a vector is empty."""
    picture, maps, job = at.addon("torch_bridge.client").item("object", 7), [], {"state": "waiting"}
    with at.live().link.bridge.new_connection() as bridge:
        number = bridge.start("object", "grad_cam", inputs=[picture])["id"]
        while job["state"] in ("waiting", "running"):
            job, maps = bridge.job(number, 0, 5.0)
    return {"fc": np.zeros_like(at.values()["fc"])} | {each.layer: each.texels for each in maps}


def goes_on() -> rig.Steps:
    """A script that doesn't wait ends before its input is shown; undo leads back through what was shown."""
    states = [at.values()]
    for script in (GOES_ON, WAITS):
        editor().spaces.active.text.from_string(script)
        yield from run()
        yield from rig.until("the input", lambda: input_name() == bpy.context.scene["wanted"], 120)
        rig.check(f"every panel shows {input_name()}", at.unchanged(states[-1], at.values()) == [])
        states.append(at.values())
    rig.report("shown when each returned", [bpy.context.scene[when] for when in ("placed", "waited")])
    for state in reversed(states[:-1]):
        yield from undo()
        yield from rig.until("undo leads to what was shown", partial(shows, state), 120)
    rig.picture("3 undone")
    with at.live().link.bridge.new_connection() as bridge:
        first = at.of_recording(bridge.record("object", []))
    yield from undo()
    yield from rig.until("then to the hall as it was built", partial(shows, first), 120)
    yield from undo()
    rig.check("then to the scene before", "innerwalk_network" not in bpy.context.scene and len(bpy.data.scenes) == 1)


def shows(state: dict[str, np.ndarray]) -> bool:
    """Whether all panels hold these values; they are filled in the background."""
    return at.equal(at.values(), state)


def input_name() -> str:
    return at.addon("blender_addon.scene.hall.store").read_description(bpy.context.scene).input_name
