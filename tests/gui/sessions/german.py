"""The interface in German: Blender finds the words, and the sidebar, all of whose panels are open, shows them whole."""

import json
from pathlib import Path

import bpy
import session as rig
from bridge_helpers import built, fill_in, open_panels, ready

WHEEL = 40
"""Steps of the wheel that pass more than a screen of the sidebar, less than two."""


def clashes() -> dict[str, str]:
    """Texts that Blender itself translates otherwise, by its own word: layouts must hand them to `translated`."""
    extension = Path(bpy.utils.user_resource("EXTENSIONS"), "user_default", "innerwalk")
    file = extension / "blender_addon" / "ui" / "translations" / "de.json"
    translate = bpy.app.translations.pgettext_iface
    return {text: translate(text) for text, own in json.loads(file.read_text()).items() if translate(text) != own}


def pictures(name: str, count: int) -> rig.Steps:
    """Takes pictures of the sidebar from top to end."""
    part = rig.region("UI")
    yield from rig.move(rig.middle(part))
    for _ in range(count * WHEEL):
        yield from rig.event("WHEELUPMOUSE", "PRESS", rig.middle(part))
    for index in range(count):
        yield 0.5
        rig.picture(f"{name}_{index}")
        for _ in range(WHEEL):
            yield from rig.event("WHEELDOWNMOUSE", "PRESS", rig.middle(part))


def session() -> rig.Steps:
    rig.install()
    bpy.context.preferences.view.language = "de_DE"
    translate = bpy.app.translations.pgettext
    rig.report("operator", translate("Walk in VR", "Operator"))
    rig.report("tooltip", bpy.app.translations.pgettext_tip("Walk through the hall with a headset"))
    rig.report("clashes", clashes())
    open_panels()
    rig.view3d().space.show_region_toolbar = False
    yield from rig.sidebar("Innerwalk")
    yield 0.5
    rig.picture("start")
    fill_in({"ring": "object"}, {})
    with rig.view3d().context():
        bpy.ops.innerwalk.start_bridge("INVOKE_DEFAULT")
    yield from ready()
    yield from built("ring")
    yield from rig.until("the answer", lambda: bpy.context.scene.get("innerwalk_method") is not None, 30)
    scene = bpy.context.scene
    with rig.view3d().context():
        bpy.ops.innerwalk.choose_method(method="occlusion")
        bpy.ops.innerwalk.jump(layer="stage3.1:add")
    yield 2.0
    rig.report("scene", scene.name)
    yield from pictures("sidebar", 3)
    bpy.context.preferences.view.language = "en_US"
    rig.report("english", translate("Walk in VR", "Operator"))
