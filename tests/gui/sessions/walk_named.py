"""A person names a unit in a walk: ticks a picture that doesn't fit, chooses a word used before, and a category."""

import json

import bpy
import bridge_helpers as at
import session as rig
import walk_helpers
from walk_dissected import carries_card, seen, titles

LAYER, NAMED, UNIT, SHOWN = "stage3.1:add", 1, 3, 9


def session() -> rig.Steps:
    rig.install()
    yield from rig.maximise()
    yield from rig.sidebar("Innerwalk")
    rig.view3d().space.shading.type = "WIREFRAME"
    at.fill_in({"mine": "object"}, {"pictures": "concepts:object"})
    at.act("start_bridge")
    yield from at.ready()
    yield from at.built("mine")
    at.act("ask_method", method="top_images", parameters='{"count": 60}', data="pictures", layers=LAYER)
    yield from rig.until("the top images", lambda: at.job()["state"] == "done", 120)
    at.addon("blender_addon.actions").name_unit(bpy.context.scene, "ring", "object", LAYER, NAMED, rater="Ann")
    person = yield from walk_helpers.begin()
    yield from stands_before(person)
    yield from marks(person)
    yield from names(person)
    at.act("end_walk")
    yield from rig.until("the end", lambda: walk_helpers.walk() is None, 120)


def stands_before(person) -> rig.Steps:
    place = at.addon("blender_addon.vr.scene_landmarks").panel_landmark(bpy.context.scene, LAYER)
    walk_helpers.walk().body.stand(place.position, place.yaw)
    yield from walk_helpers.frames(3)
    tile, _ = walk_helpers.tile(LAYER, UNIT)
    yield from person.point("right", tile)
    yield from person.press("right", "trigger", 1.0)
    found = tuple(at.addon("blender_addon.actions").selected(bpy.context.scene))
    rig.check("the trigger selects the unit", found == (LAYER, UNIT))
    yield from carries_card(person)


def marks(person) -> rig.Steps:
    yield from walk_helpers.choose(person, "left", "Name unit", "Pictures that don't fit", "Picture 2")
    on = [item.label for item in walk_helpers.walk().menu.page.items if item.on]
    rig.check("the picture is ticked", on == ["Picture 2: doesn't fit"])
    yield from rig.until("the card", lambda: facts().get("Don't fit") == "2", 120)
    yield from seen(person, "1 ticked")


def facts() -> dict[str, str]:
    return dict(walk_helpers.headset().drawing.card.content.facts)


def names(person) -> rig.Steps:
    yield from walk_helpers.choose(person, "left", "Back")
    rig.check("the word used before is offered", "ring" in titles())
    yield from walk_helpers.choose(person, "left", "ring")
    yield from walk_helpers.choose(person, "left", "Object part")
    yield from person.press("left", "b_click")
    yield from carries_card(person)
    yield from rig.until("the card", lambda: facts().get("Named", "").startswith("ring (object part)"), 120)
    yield from seen(person, "2 named")
    with rig.view3d().context():
        bpy.ops.innerwalk.export_names("EXEC_DEFAULT", filepath=str(rig.OUT / "names.jsonl"))
    written = [json.loads(line) for line in (rig.OUT / "names.jsonl").read_text().splitlines()]
    rig.report("written", written)
    own = [name for name in written if name.get("unit") == UNIT]
    wanted = {"layer": LAYER, "word": "ring", "category": "object part", "misfits": [2], "shown": SHOWN}
    rig.check("the file has the name", len(own) == 1 and wanted.items() <= own[0].items())
