"""ResNet-50: how long callbacks of ours hold Blender while twenty inputs change and a job runs."""

import time

import at_the_bridge as at
import bpy
import session as rig

INPUTS = 20


def session() -> rig.Steps:
    rig.install()
    clock = at.Clock()
    clock.watch()
    yield from rig.maximise()
    yield from rig.sidebar("Innerwalk")
    rig.view3d().space.shading.type = "WIREFRAME"
    at.fill_in({"": "resnet50"}, {"photos": str(rig.DATA / at.PHOTOS)})
    at.act("start_bridge")
    yield from at.ready()
    rig.tell("before the hall", clock.told())
    clock.spans.clear()
    yield from at.built("resnet50")
    rig.tell("building the hall", clock.told(3))
    rig.tell("panels", len(at.panels()))
    rig.look("SOLID", camera=False)
    at.act("jump", layer="layer1.0.conv1")
    yield 1.0
    clock.spans.clear()
    yield from inputs(clock, "alone")
    at.act("ask_method", method="average", parameters='{"count": 5000}', data="photos")
    yield from rig.until("the job", lambda: at.live().jobs[bpy.context.scene["innerwalk_work"]]["share"] > 0, 30)
    clock.spans.clear()
    yield from inputs(clock, "with a job")
    rig.tell("job", at.live().jobs[bpy.context.scene["innerwalk_work"]]["told"])
    at.act("cancel_method")
    rig.picture("resnet50")


def inputs(clock: at.Clock, name: str) -> rig.Steps:
    redraws, took = at.Redraws(), []
    for index in range(INPUTS):
        began = time.monotonic()
        at.act("place_input", data="photos", index=index * 7)
        yield from at.settled_input()
        took.append(round(time.monotonic() - began, 2))
    rig.tell(f"{name}: longest callbacks, ms of wall, ms of processor, how many", clock.told())
    rig.tell(f"{name}: seconds from input to the last panel", sorted(took)[len(took) // 2])
    rig.tell(f"{name}: redraws, median ms and count", [round(1000 * sorted(redraws.took)[len(redraws.took) // 2]), len(redraws.took)])
