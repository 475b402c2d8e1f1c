"""The interface in German: Blender finds the words, and the sidebar shows them whole."""

import json
from pathlib import Path

import bpy
import session as rig

PICTURES = 2
"""Screens of the sidebar, from its top."""


def clashes() -> dict[str, str]:
    """Texts that Blender itself translates otherwise, by its own word: layouts must hand them to `translated`."""
    extension = Path(bpy.utils.user_resource("EXTENSIONS"), "user_default", "innerwalk")
    file = extension / "blender_addon" / "ui" / "translations" / "de.json"
    translate = bpy.app.translations.pgettext_iface
    return {text: translate(text) for text, own in json.loads(file.read_text()).items() if translate(text) != own}


def session() -> rig.Steps:
    rig.install()
    bpy.context.preferences.view.language = "de_DE"
    translate = bpy.app.translations.pgettext
    rig.report("operator", translate("Start Walk", "Operator"))
    rig.report("tooltip", bpy.app.translations.pgettext_tip("Walk through the hall with a headset"))
    rig.report("clashes", clashes())
    bpy.ops.innerwalk.open_demo()
    rig.view3d().space.show_region_toolbar = False
    yield from rig.sidebar("Innerwalk")
    yield from rig.settled()
    holder = next(each for each in bpy.context.scene.objects if each.get("innerwalk_role") == "panel")
    with rig.view3d().context():
        bpy.ops.innerwalk.jump(layer=holder["innerwalk_id"])
    yield from rig.settled()
    part = rig.region("UI")
    yield from rig.move(rig.middle(part))
    for index in range(PICTURES):
        yield 0.5
        rig.picture(f"sidebar_{index}")
        for _ in range(12):
            yield from rig.event("WHEELDOWNMOUSE", "PRESS", rig.middle(part))
    bpy.context.preferences.view.language = "en_US"
    rig.report("english", translate("Start Walk", "Operator"))
