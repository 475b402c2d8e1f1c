"""Shared by sessions with a headset: pointing with hands, pressing buttons, pictures of both eyes."""

import math
import os
import subprocess
import time
from typing import Any

import bpy
import bridge_helpers as at
import gpu
import monado_remote as remote
import numpy as np
import session as rig
from mathutils import Matrix, Quaternion, Vector

TO_OPENXR = Quaternion((1, 0, 0), math.radians(-90))
"""Blender's up is z, OpenXR's is y."""


class Person:
    """The simulated wearer of the headset; head and hands are moved in Blender's world."""

    def __init__(self) -> None:
        self.remote = remote.Remote(port=int(os.environ["RIG_PORT"]))
        self.remote.head.position = (0.0, 1.62, 0.0)
        self.rest()
        self.remote.send()

    def rest(self) -> None:
        """Lower both hands, so that they point at the floor behind."""
        for name, side in (("left", -0.25), ("right", 0.25)):
            hand = self.hand(name)
            hand.position, hand.rotation = (side, 1.0, -0.1), remote.rotation("x", -80)

    def hand(self, name: str) -> Any:
        return getattr(self.remote, name)

    def navigation(self) -> Matrix:
        """Matrix from the tracked room to Blender's world."""
        state = bpy.context.window_manager.xr_session_state
        eye = Matrix.LocRotScale(Vector(state.viewer_pose_location), Quaternion(state.viewer_pose_rotation), None)
        return eye @ _pose(self.remote.head).inverted()

    def place(self, name: str, place: Vector, towards: Vector) -> None:
        """Move a hand in the world and point it at a place; takes effect with the next `send`."""
        along = (towards - place).normalized()
        turn = along.to_track_quat("-Z", "Y")
        there = self.navigation().inverted() @ Matrix.LocRotScale(place, turn, None)
        _set(self.hand(name), self.grip(there))

    def grip(self, aim: Matrix) -> Matrix:
        """Grip pose for an aim pose: the driver moves the grip, and the runtime derives the aim from it."""
        return aim @ self.offset.inverted()

    offset = Matrix.Identity(4)
    """Matrix from grip to aim."""

    def learn(self) -> rig.Steps:
        """Measure the offset between the grip pose, which the driver moves, and the runtime's aim pose."""
        hand = self.hand("right")
        hand.position, hand.rotation = (0.2, 1.3, -0.4), remote.IDENTITY
        yield from self.send()
        aim = Matrix(at.addon("blender_addon.vr.headset.xr").hand_pose("right").tolist())
        self.offset = (self.navigation() @ _pose(hand)).inverted() @ aim

    def point(self, name: str, towards: Vector) -> rig.Steps:
        """Hold a hand in front of the eye, at its own side, and point it at a place of the world."""
        eye = Matrix(walk().body.eye().tolist())
        side = -0.2 if name == "left" else 0.2
        self.place(name, eye @ Vector((side, -0.3, -0.35)), towards)
        yield from self.send()

    def send(self) -> rig.Steps:
        """Send all poses and wait until the walk has updated."""
        self.remote.send()
        yield from frames(3)

    def press(self, name: str, button: str, value: Any = True) -> rig.Steps:
        """Press and release a button."""
        yield from self.down(name, button, value)
        setattr(self.hand(name), button, type(value)(0))
        yield from self.send()

    def down(self, name: str, button: str, value: Any = True) -> rig.Steps:
        setattr(self.hand(name), button, value)
        yield from self.send()


def frames(count: int) -> rig.Steps:
    """Waits until the headset has drawn some frames, with an update of the walk after each."""
    drawn: list[None] = []
    start = time.monotonic()
    handler = bpy.types.SpaceView3D.draw_handler_add(lambda: drawn.append(None), (), "XR", "POST_VIEW")
    try:
        for _ in range(count):
            before = len(drawn)
            yield from rig.until(
                "a frame of the headset", lambda before=before: len(drawn) > before or walk() is None, 60
            )
            yield 0.02
    finally:
        rig.report("frame s", round((time.monotonic() - start) / count, 2))
        bpy.types.SpaceView3D.draw_handler_remove(handler, "XR")


def _pose(thing: Any) -> Matrix:
    """Matrix in Blender's axes of a pose of the driver, which is in OpenXR's."""
    x, y, z = thing.position
    i, j, k, w = thing.rotation
    turn = Quaternion((1, 0, 0), math.radians(90)) @ Quaternion((w, i, j, k))
    return Matrix.LocRotScale(Vector((x, -z, y)), turn, None)


def _set(thing: Any, pose: Matrix) -> None:
    place, turn, _ = pose.decompose()
    turn = TO_OPENXR @ turn
    thing.position = (place.x, place.z, -place.y)
    thing.rotation = (turn.x, turn.y, turn.z, turn.w)


def headset() -> Any:
    return at.addon("blender_addon.vr.headset.headset_walk").current()


def walk() -> Any:
    return at.addon("blender_addon.vr.walk").current()


def begin() -> rig.Steps:
    """Starts a walk and waits until the walker stands at the entrance; returns the person."""
    person = Person()
    at.act("start_walk")
    headset = at.addon("blender_addon.vr.headset.headset_walk")
    yield from rig.until("the walk", lambda: headset.current() is not None and headset.current().running, 60)
    yield 1.0
    yield from person.learn()
    return person


def tile(layer: str, channel: int) -> tuple[Vector, Vector]:
    """Centre and normal of a tile, in the world."""
    panel = at.panels()[layer]
    columns, rows, width, height = panel["innerwalk_grid"]
    row, column = divmod(channel, int(columns))
    inner = Vector(((column + 0.5) * width, (rows - row - 0.5) * height, 0))
    return panel.matrix_world @ inner, (panel.matrix_world.to_quaternion() @ Vector((0, 0, 1))).normalized()


def has_pictures() -> bool:
    """Whether pictures of both eyes can be taken."""
    return "HMD_DISPLAY" in os.environ


def eyes(name: str) -> np.ndarray | None:
    """Picture of both eyes, side by side, (H, W, 3) uint8, also as OUT/NAME.png; None without a compositor window."""
    display = os.environ.get("HMD_DISPLAY")
    if not display:
        return None
    path = rig.OUT / f"{name}.png"
    subprocess.run(["import", "-display", display, "-window", "root", "-crop", "960x540+0+0", path], check=True)
    raw = subprocess.run(["convert", path, "-depth", "8", "rgb:-"], check=True, capture_output=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(540, 960, 3)


class Eyes:
    """The matrices and places in `eyes` of both eyes, as they were drawn last."""

    def __init__(self) -> None:
        self._matrices: list[Matrix] = []
        bpy.types.SpaceView3D.draw_handler_add(self._note, (), "XR", "POST_VIEW")

    def _note(self) -> None:
        both = gpu.matrix.get_projection_matrix() @ gpu.matrix.get_model_view_matrix()
        self._matrices = [*self._matrices, both] if len(self._matrices) == 1 else [both]

    def _place(self, side: int, point: Vector) -> tuple[float, float]:
        clip = self._matrices[side] @ point.to_4d()
        return clip.x / clip.w, clip.y / clip.w

    def sees(self, side: int, point: Vector) -> bool:
        """Whether a point of the world is well inside the picture of an eye: 0 left, 1 right."""
        return max(map(abs, self._place(side, point))) < 0.8

    def pixel(self, side: int, point: Vector) -> tuple[int, int]:
        """Column and row in the picture of both eyes that show a point of the world to one of them."""
        x, y = self._place(side, point)
        return int(480 * side + 240 * (1 + x)), int(270 * (1 - y))


class DrawnMaps:
    """Compares the maps that each frame has drawn with those that the panels hold."""

    def __init__(self) -> None:
        self.frames, self.wrong = 0, set[str]()
        self._handler = bpy.types.SpaceView3D.draw_handler_add(self._compare, (), "XR", "POST_VIEW")

    def _compare(self) -> None:
        self.frames += 1
        batches = {key[0]: item for key, item in headset().drawing.hall.shown._placed.items()}
        for layer, panel in at.panels().items():
            image = at.addon("blender_addon.scene.panels").image_of(panel)
            texture = batches[panel.session_uid].shape.textures["texels"]
            buffer = texture.read()
            buffer.dimensions = texture.width * texture.height * 4
            held = np.empty(len(image.pixels), np.float32)
            image.pixels.foreach_get(held)
            if not np.array_equal(np.array(buffer, np.float32), held):
                self.wrong.add(layer)

    def end(self) -> None:
        bpy.types.SpaceView3D.draw_handler_remove(self._handler, "XR")


def halves_differ_little(seen: np.ndarray) -> bool:
    """Whether both eyes show the same hall from two viewpoints: not black, not equal, not unrelated."""
    left, right = seen[:, :480].astype(float), seen[:, 480:].astype(float)
    apart = np.abs(left - right).mean()
    return bool(left.std() > 5 and right.std() > 5 and 0.2 < apart < 40)


def looked() -> rig.Steps:
    """Waits until the targets of both hands were found; the hands take turns."""
    yield from frames(12)


def drawn() -> rig.Steps:
    """Waits until outlines, names and the card are drawn for the current targets."""
    yield from frames(30)
    drawing = at.addon("blender_addon.vr.headset.headset_walk").current().drawing
    yield from rig.until("the card", lambda: not drawing.card.busy and drawing.ready, 60)
    yield from frames(2)


def mirror(on: bool) -> None:
    """Lets the 3D view mirror the headset, or not."""
    rig.view3d().space.mirror_xr_session = on


def centre(holder: bpy.types.Object) -> Vector:
    """Centre of an object, in the world."""
    corners = [holder.matrix_world @ Vector(corner) for corner in holder.bound_box]
    return sum(corners, Vector()) / 8


def floor(ahead: float) -> Vector:
    """Point of the floor some metres ahead of the walker."""
    eye = Matrix(walk().body.eye().tolist())
    along = eye.to_quaternion() @ Vector((0, 0, -1))
    along.z = 0
    place = eye.translation + along.normalized() * ahead
    return Vector((place.x, place.y, 0.0))


def entry(label: str) -> Vector:
    """Centre of an item of the open menu, in the world."""
    board, menu = walk().menu, at.addon("blender_addon.vr.display.menu_layout")
    index = next(k for k, item in enumerate(board.page.items) if item.label.startswith(label))
    (left, right), (low, high) = menu.arrange(board.page).boxes[index]
    return Matrix(board.pose.tolist()) @ Vector(((left + right) / 2, (low + high) / 2, 0))


def choose(person: Person, name: str, *labels: str) -> rig.Steps:
    """Chooses items of the menu one after the other, with a hand's ray and trigger; opens the menu if needed."""
    if walk().menu is None:
        yield from person.press(name, "b_click")
    for label in labels:
        yield from person.point(name, entry(label))
        yield from person.press(name, "trigger", 1.0)


def near(found: Any, wanted: Any, within: float = 0.02) -> bool:
    return bool(np.allclose(np.array(found), np.array(wanted), atol=within))
