"""Measures the cost of a walk on Blender's thread, in ResNet-50's hall with hands that move all the time."""

import math
import time

import bpy
import bridge_helpers as at
import numpy as np
import session as rig
import walk_helpers
from mathutils import Matrix, Vector

FRAMES = 240


def session() -> rig.Steps:
    yield from at.in_hall("r50", "resnet50")
    rig.view3d().space.shading.type = "WIREFRAME"
    clock = Frames()
    person = yield from walk_helpers.begin()
    at.act("go_to_place", place=walk_helpers.walk().landmarks[2].name)
    yield from warmed(person)
    clock.begin()
    eye = Matrix(walk_helpers.walk().body.eye().tolist())
    for frame in range(FRAMES):
        turn = 2 * math.pi * frame / 60
        for name, side in (("left", -1), ("right", 1)):
            towards = eye @ Vector((side * 1.5 + math.sin(turn), 0.5 * math.cos(turn), -4.0))
            person.place(name, eye @ Vector((side * 0.2, -0.3, -0.35)), towards)
        person.remote.send()
        if frame % 60 == 30:
            yield from person.press("right", "trigger", 1.0)
        yield from walk_helpers.frames(1)
    rig.report("cost ms", clock.summary())
    at.act("end_walk")
    yield from rig.until("the end", lambda: walk_helpers.walk() is None, 120)


def warmed(person) -> rig.Steps:
    """Draws everything once, as a shader is compiled at its first use."""
    eye = Matrix(walk_helpers.walk().body.eye().tolist())
    drawing = at.addon("blender_addon.vr.headset.headset_walk").current().drawing
    yield from person.point("right", eye @ Vector((1.5, 0.0, -4.0)))
    yield from person.press("right", "trigger", 1.0)
    yield from rig.until("the card", lambda: not drawing.card.busy and drawing.card.content.picture is not None, 120)
    yield from rig.until("the painted card", lambda: drawing.ready, 120)
    yield from walk_helpers.frames(3)


class Frames:
    """Measures the extension's thread seconds in each headset frame: timer, drawing of both eyes, actions, sidebar."""

    def __init__(self) -> None:
        self.spent, self.depth, self.parts, self.frames = 0.0, 0, {}, []
        headset, drawing = at.addon("blender_addon.vr.headset.headset_walk"), at.addon("blender_addon.vr.walk_drawing")
        button_press = at.addon("blender_addon.vr.headset.button_press")
        methods = (headset.HeadsetWalk, "tick"), (drawing.WalkDrawing, "_handle"), (button_press, "handle_button")
        for owner, name in methods:
            setattr(owner, name, self.timed(name, getattr(owner, name)))
        drawing.WalkDrawing.paint = self.timed("paint", drawing.WalkDrawing.paint)  # of a draw
        inspector = at.addon("blender_addon.ui.inspect.inspector_state")
        inspector.update = self.timed("inspector", inspector.update)
        after = bpy.app.handlers.depsgraph_update_post
        after[:] = [
            self.timed("after changes", call) if call.__name__ == "on_depsgraph_update" else call for call in after
        ]

    def timed(self, name, work):
        """Wrap a function; nested timed calls count once."""

        def run(*positional, **named):
            self.depth += 1
            start = time.thread_time()
            try:
                return work(*positional, **named)
            finally:
                took = time.thread_time() - start
                self.depth -= 1
                self.spent += took * (self.depth == 0)
                self.parts.setdefault(name, []).append(took)

        return run

    def begin(self) -> None:
        self.spent = 0.0
        self.parts.clear()
        self.eyes = 0
        bpy.types.SpaceView3D.draw_handler_add(self.frame, (), "XR", "PRE_VIEW")

    def frame(self) -> None:
        """Called once for each eye; the second one ends a frame."""
        self.eyes += 1
        if self.eyes % 2 == 1:
            self.frames.append(self.spent)
            self.spent = 0.0

    def summary(self) -> dict:
        frames = 1000 * np.array(self.frames[2:])
        found = {"frames": len(frames), "median": float(np.median(frames)), "99 %": float(np.percentile(frames, 99)),
                 "most": float(frames.max())}  # fmt: skip
        for name, spans in self.parts.items():
            spans = 1000 * np.array(spans)
            found[name] = [float(np.median(spans)), float(np.percentile(spans, 99)), len(spans)]
        return found
