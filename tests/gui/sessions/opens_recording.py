"""Blender starts with a recording, as `innerwalk open` starts it, and Innerwalk isn't installed as an extension."""

import importlib.util
import shutil
import zipfile
from pathlib import Path

import bpy
import session as rig


def panels() -> int:
    return sum(holder.get("innerwalk_role") == "panel" for holder in bpy.context.scene.objects)


def session() -> rig.Steps:
    package = Path("/tmp/innerwalk_package")
    with zipfile.ZipFile(next(rig.IN.glob("innerwalk-*.zip"))) as content:
        content.extractall(package)
    spec = importlib.util.spec_from_file_location("at_start", rig.IN / "at_start.py")
    at_start = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(at_start)
    at_start.PACKAGE = package
    recording = Path("/tmp/recording")
    shutil.copytree(rig.OBJECT, recording)
    shown = bpy.context.preferences.view.show_splash
    at_start.show_soon(str(recording), "temporary")
    yield from rig.until("the hall", lambda: panels() == 23, 60)
    yield from rig.settled()
    rig.check("the splash screen is as it was", bpy.context.preferences.view.show_splash == shown)
    rig.check("the folder is removed", not recording.exists())
    rig.report("shading", rig.view3d().space.shading.type)
    yield from rig.sidebar("Innerwalk")
    rig.picture("opened")
    at_start.show("/tmp/nothing")
    yield 0.5
    rig.picture("nothing there")
