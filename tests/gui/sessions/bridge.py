"""A person's first hour with a bridge: start, hall, a dropped picture, the shelf, a tile, a value."""

import shutil
import time
from functools import wraps

import bpy
import bridge_helpers as at
import session as rig

LAYER, CHANNEL = "stage1.0.conv2", 5
DATA = {"photos": str(rig.DATA / at.PHOTOS)}


def session() -> rig.Steps:
    rig.install()
    yield from rig.maximise()
    yield from rig.sidebar("Innerwalk")
    rig.picture("1 first look")
    plain = at.addon("torch_bridge.client").start_process(rig.PYTHON, {"networks": {"object": {"model": "object"}}})
    yield from starts()
    yield from builds()
    with at.addon("torch_bridge.client").Bridge(plain.wait(), plain.token, child=plain) as bridge:
        yield from drops(bridge)
    yield from takes_from_the_shelf()
    yield from looks_closer()


def starts() -> rig.Steps:
    at.fill_in({"object": "object"}, DATA)
    yield 0.3
    rig.picture("2 filled in")
    place = yield from rig.button("innerwalk.start_bridge")
    yield from rig.click(place)
    rig.check("a click on Start starts it", at.live().state == "starting")
    yield 0.3
    rig.picture("3 starting")
    yield from at.ready()
    rig.picture("4 ready")
    described = at.live().link.description
    rig.report("data", {data["name"]: data["count"] for data in described["data"]})
    rig.report("networks", [network["name"] for network in described["networks"]])


def builds() -> rig.Steps:
    place = yield from rig.button("innerwalk.build_hall")
    began = time.monotonic()
    yield from rig.click(place)
    yield from rig.until("the hall", lambda: "innerwalk_network" in bpy.context.scene, 60)
    rig.report("seconds to the hall", round(time.monotonic() - began, 2))
    bpy.context.scene.eevee.taa_samples = 1
    rig.report("panels", len(at.panels()))
    yield from rig.settled()
    rig.picture("5 hall")


def drops(bridge) -> rig.Steps:
    rig.look("SOLID", camera=False)
    yield 0.5
    picture = rig.OUT / "parrot.jpg"
    shutil.copy(rig.DATA / "coral_images/parrot.jpg", picture)
    before, answer = at.values(), at.answer()
    filled, redraws = filling(), at.Redraws()
    yield from rig.drop(picture, at.middle(at.of_role("input")))
    rig.picture("6 dropped")
    yield from rig.press("P", at.middle(at.of_role("input")))
    yield from at.settled_input()
    times = filled()
    rig.report("panels filled", len(times) - 1)
    whole, drawn = times[-1] - times[0], redraws.within(times[0], times[-1])
    rig.report(
        "ms from the drop to the last panel, and those of redraws", [round(1000 * span) for span in (whole, drawn)]
    )
    after = at.values()
    rig.check("every panel has changed", at.unchanged(before, after) == [])
    known = bridge.record("object", [at.addon("torch_bridge.client").file(picture)])
    rig.check("panels hold what another client receives", at.equal(after, at.of_recording(known)))
    rig.check("the board has changed", at.answer() != answer)


def filling():
    """Records the times of the drop and of each filled panel; returns a function that stops and returns them."""
    panels, bridging = at.addon("blender_addon.scene.panels"), at.addon("blender_addon.actions")
    times, show, place = [], panels.show_maps, bridging.place_input

    @wraps(place)  # the operator reads the signature
    def placed(*positional, **named):
        times.append(time.monotonic())
        return place(*positional, **named)

    def shown(panel, maps):
        show(panel, maps)
        times.append(time.monotonic())

    panels.show_maps, bridging.place_input = shown, placed

    def stop():
        panels.show_maps, bridging.place_input = show, place
        return times

    return stop


def takes_from_the_shelf() -> rig.Steps:
    at.act("choose_data", data="photos")
    yield from rig.until("the shelf", lambda: "innerwalk_shelf" in bpy.context.scene)
    yield 0.3
    before, answer = at.values(), at.answer()
    yield from rig.click(at.middle(at.of_role("shelf", index=3)))
    rig.check("a click takes a picture", bpy.context.scene["innerwalk_held"] == 3)
    rig.look("RENDERED", camera=False)
    yield from rig.settled()
    rig.picture("7 held")
    rig.look("SOLID", camera=False)
    yield from rig.click(at.middle(at.of_role("input")))
    rig.check("a click on the input places it", bpy.context.scene["innerwalk_held"] == -1)
    yield from at.settled_input()
    rig.check("every panel has changed again", at.unchanged(before, at.values()) == [])
    rig.check("and the board", at.answer() != answer)


def looks_closer() -> rig.Steps:
    at.act("jump", layer=LAYER)
    yield 0.3
    yield from rig.click(at.tile(LAYER, CHANNEL))
    chosen = bpy.context.scene["innerwalk_layer"], bpy.context.scene["innerwalk_channel"]
    rig.check("a click on a tile selects its channel", chosen == (LAYER, CHANNEL))
    seen, scene = at.addon("blender_addon.ui.inspect.inspector_state").state.results, bpy.context.scene.session_uid
    yield from rig.until("the inspector", lambda: seen.get(scene) and seen[scene].channel and seen[scene].layer)
    shown = seen[scene]
    rig.report("layer", dict(shown.layer.facts))
    rig.report("channel", dict(shown.channel.facts))
    maps = at.addon("blender_addon.scene.panels.values").map_of(at.panels()[LAYER], CHANNEL)
    rig.report("map", [float(maps.min()), float(maps.max()), float(maps.mean())])
    at.act("probe")
    place = at.tile(LAYER, CHANNEL)
    yield from rig.move(place)
    yield 0.2
    pointed = at.addon("blender_addon.ui.inspect.inspector_state").state.cursor_value
    rig.report("pointed", pointed)
    row, column = (side // 2 for side in maps.shape)
    near = maps[row - 1 : row + 1, column - 1 : column + 1]
    number = at.addon("blender_addon.plans.number_text").format_number
    rig.check(
        "the value under the cursor is the map's",
        any(pointed.endswith(f"= {number(float(value))}") for value in near.ravel()),
    )
    rig.look("RENDERED", camera=False)
    yield from rig.settled()
    rig.picture("8 a closer look")
    yield from rig.press("ESC", place)
    rig.check("Esc ends it", at.addon("blender_addon.ui.inspect.inspector_state").state.cursor_value == "")
