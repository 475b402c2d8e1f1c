"""Measures how long the extension's callbacks block Blender in ResNet-50's hall, while inputs change and a job runs."""

import time

import bpy
import bridge_helpers as at
import session as rig

INPUTS = 20


def session() -> rig.Steps:
    clock = at.Clock()
    yield from at.in_hall("resnet50", "resnet50", clock.watch)
    rig.report("until the hall stands: longest callbacks", clock.summary())
    rig.report("panels", len(at.panels()))
    yield from rig.settled()
    rig.report("redraw s while turning", at.redraw_seconds())
    at.act("jump", layer="conv1")
    yield 1.0
    clock.spans.clear()
    yield from inputs(clock, "alone")
    at.act("ask_method", method="average", parameters='{"count": 5000}', data="photos")
    yield from rig.until("the job", lambda: at.live().job(bpy.context.scene["innerwalk_work"])["share"] > 0, 120)
    clock.spans.clear()
    yield from inputs(clock, "with a job")
    rig.report("job", at.live().job(bpy.context.scene["innerwalk_work"])["told"])
    at.act("cancel_method")
    rig.picture("resnet50")


def inputs(clock: at.Clock, name: str) -> rig.Steps:
    redraws, took, own = at.Redraws(), [], []
    for index in range(INPUTS):
        began, drawn = time.monotonic(), sum(redraws.took)
        at.act("place_input", data="photos", index=index * 7)
        yield from at.settled_input()
        took.append(time.monotonic() - began)
        own.append(took[-1] - (sum(redraws.took) - drawn))
    rig.report(f"{name}: longest callbacks, ms of wall, ms of processor, how many", clock.summary())
    rig.report(f"{name}: seconds from input to the last panel, median", median(took))
    rig.report(f"{name}: of it without redraws", median(own))
    rig.report(f"{name}: a redraw, ms, median of {len(redraws.took)}", 1000 * median(redraws.took))


def median(values: list[float]) -> float:
    return round(sorted(values)[len(values) // 2], 3)
