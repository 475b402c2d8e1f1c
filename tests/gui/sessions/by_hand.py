"""Mouse, keys, menus and drops in Blender's default scene, where the results are known."""

import bpy
import session as rig
from bpy.props import StringProperty

dropped: list[tuple] = []


class TEST_OT_take(bpy.types.Operator):
    bl_idname, bl_label = "test.take", "Take"
    filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})

    def invoke(self, context, event):
        dropped.append((self.filepath, event.mouse_x, event.mouse_y))
        return {"FINISHED"}


class TEST_FH_take(bpy.types.FileHandler):
    bl_idname, bl_label, bl_import_operator, bl_file_extensions = "TEST_FH_take", "Take", "test.take", ".png"

    @classmethod
    def poll_drop(cls, context):
        return context.area and context.area.type == "VIEW_3D"


def active() -> str:
    return rig.view3d().window.view_layer.objects.active.name


def session() -> rig.Steps:
    cube, light = bpy.data.objects["Cube"], bpy.data.objects["Light"]
    yield from rig.click(rig.pixel(light.location))
    rig.check("a click selects the light", active() == "Light")
    place = rig.pixel(cube.location)
    yield from rig.click(place)
    rig.check("a click selects the cube", active() == "Cube")
    yield from rig.sidebar("View")
    rig.picture("view")

    there = place[0] + 100, place[1]
    yield from rig.press("G", place)
    yield from rig.move(there)
    yield from rig.press("LEFTMOUSE", there)
    rig.report("moved by pixels", [found - meant for found, meant in zip(rig.pixel(cube.location), there, strict=True)])
    yield from rig.press("Z", there, ctrl=True)
    rig.check("the move is undone", bpy.data.objects["Cube"].location.length == 0)

    before = rig.view3d().region.width
    yield from rig.maximise()
    rig.check("the 3D view fills the window", rig.view3d().region.width > before)
    yield from rig.search("add monkey")
    rig.check("a menu entry is found", active() == "Suzanne")
    yield from rig.press("F2", place)
    yield from rig.press("A", place, ctrl=True)
    yield from rig.write("hall 3.5", place)
    yield from rig.press("RET", place)
    rig.check("text is written", active() == "hall 3.5")
    yield from by_mouse(place)


def by_mouse(place) -> rig.Steps:
    turned = rig.view3d().space.region_3d.view_rotation.copy()
    yield from rig.drag(place, (place[0] + 90, place[1] + 30), "MIDDLEMOUSE")
    rig.check("a drag turns the view", rig.view3d().space.region_3d.view_rotation != turned)
    near = rig.view3d().space.region_3d.view_distance
    yield from rig.event("WHEELUPMOUSE", "PRESS", place)
    yield 0.3
    rig.check("the wheel goes nearer", rig.view3d().space.region_3d.view_distance < near)

    bpy.utils.register_class(TEST_OT_take)
    bpy.utils.register_class(TEST_FH_take)
    yield from rig.drop(rig.OUT / "view.png", place)
    rig.picture("dropped")
    yield from rig.press("T", place)
    yield 0.2
    rig.check(
        "a dropped file arrives where it was dropped", dropped == [(str(rig.OUT / "view.png"), *map(round, place))]
    )
