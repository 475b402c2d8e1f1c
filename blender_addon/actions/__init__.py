"""What a person can do in Blender, as functions: menus, hands in VR and scripts call these, and do nothing else.

The operator `bpy.ops.innerwalk.NAME` is the function NAME here, with the same parameters. Functions take the hall's scene
first, raise an InnerwalkError of one line, and return a line that says what was done, or what was asked for.
"""

from .opening import import_recording, open_demo, outdated, rebuild_groups
from .selecting import select, selected

__all__ = ["import_recording", "open_demo", "outdated", "rebuild_groups", "select", "selected"]
