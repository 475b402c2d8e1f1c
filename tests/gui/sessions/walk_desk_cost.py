"""Measures the cost of a walk at the desk on Blender's thread, in ResNet-50's hall, while the eye turns and moves."""

import bridge_helpers as at
import session as rig
import walk_desk as by_desk

MOVES, TICKS = 150, 8
"""Mouse events, and extra ticks after each: software rendering draws a few frames a second, a gpu 60."""


def session() -> rig.Steps:
    yield from at.in_hall("r50", "resnet50")
    rig.look("WIREFRAME", camera=False)
    yield from by_desk.begin()
    yield from rig.press("N", by_desk.middle())
    yield from rig.press("N", by_desk.middle())
    x, y = by_desk.middle()
    yield from rig.event("W", "PRESS", (x, y))
    yield 0.5
    cost = by_desk.Cost()
    for move in range(MOVES):
        yield from rig.event("MOUSEMOVE", "NOTHING", (x + 300 * (move % 2) + move, y + move % 5))
        for _ in range(TICKS):
            by_desk.desk().body.rotate(0.002, 0.0)
            by_desk.desk().tick()
        if move % 30 == 10:
            yield from rig.press("LEFTMOUSE", (x + move, y))
    rig.report("cost ms", cost.summary())
    yield from rig.event("W", "RELEASE", (x, y))
    yield from rig.press("ESC", (x, y))
    yield from by_desk.ended()
