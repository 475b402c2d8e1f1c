"""A generator's units in a walk: chosen by what they paint, ablated where the hand's ray points, and taken back."""

import time

import bpy
import bridge_helpers as at
import dissected_helpers as dissected
import numpy as np
import session as rig
import walk_helpers
from walk_dissected import carries_card, seen

LAYER, AFTER, BEFORE = "up3.up", "up3.norm", "up2.norm"
PARAMETERS = '{"count": 20}'


def session() -> rig.Steps:
    rig.install()
    yield from rig.maximise()
    yield from rig.sidebar("Innerwalk")
    rig.view3d().space.shading.type = "WIREFRAME"
    at.fill_in({"generator": "generator"}, {})
    at.act("start_bridge")
    yield from at.ready()
    yield from at.built("generator")
    own = at.values()
    at.act("ask_method", method="gan_dissection", parameters=PARAMETERS, layers=LAYER)
    yield from rig.until("the labels", lambda: dissected.concepts() and at.job()["state"] == "done", 120)
    at.act("ask_method", method="activations")
    yield from rig.until("the activations", lambda: at.equal(at.values(), own), 60)
    person = yield from walk_helpers.begin()
    yield from takes_brush(person)
    yield from paints_on_tile(person, own)
    yield from undoes(person, own)
    yield from paints_on_picture(person, own)
    yield from undoes(person, own)
    at.act("end_walk")
    yield from rig.until("the end", lambda: walk_helpers.walk() is None, 120)


def takes_brush(person) -> rig.Steps:
    """The label leads to a unit, whose concept the menu's brush ablates; the menu closes."""
    found = dissected.concepts()
    concept = max(sorted(found), key=lambda name: sum(map(len, found[name].values())))
    walk_helpers.walk().go_to_label(concept)
    yield from walk_helpers.frames(3)
    yield from walk_helpers.choose(person, "left", f"Brush: ablate {concept}")
    rig.check("the menu is closed", walk_helpers.walk().menu is None)
    brush = at.addon("blender_addon.live.stored_choices").held_brush(bpy.context.scene)
    rig.report("brush", [brush.layer, len(brush.channels)])
    rig.check("the brush has the concept's units", brush.channels == dissected.concepts()[concept][LAYER])


def paints_on_tile(person, own: dict) -> rig.Steps:
    """A press paints where the ray meets a tile: the units are 0 there, and the picture changes."""
    place, _ = walk_helpers.tile(LAYER, dissected.selected()[1])
    yield from person.point("right", place)
    yield from walk_helpers.looked()
    hit = walk_helpers.walk().hands["right"].hit
    rig.check("the ray meets the tile", hit is not None and hit.layer == LAYER)
    channel, (down, across) = dissected.selected()[1], (round(32 * share) for share in reversed(hit.spot))
    yield from pressed(person, "seconds from press to picture, tile")
    now = at.values()
    held = maps(now)
    rig.check("the units are 0 there", not held[channel, down, across] and maps(own)[channel, down, across])
    rig.check("elsewhere they are as before", np.array_equal(held[:, 0], maps(own)[:, 0]))
    rig.check("layers before it are too", np.array_equal(now[BEFORE], own[BEFORE]))
    rig.check("the picture has changed", not np.array_equal(now["picture"], own["picture"]))
    yield from carries_card(person, "left")
    yield from shows_picture()
    yield from seen(person, "1 painted on a tile")


def maps(values: dict) -> np.ndarray:
    """(C, H, W) of the painted layer."""
    cells, height, width, _ = values[AFTER].shape
    return values[AFTER].transpose(0, 3, 1, 2).reshape(4 * cells, height, width)


def pressed(person, name: str) -> rig.Steps:
    """Presses the trigger, reports the seconds until every panel shows what it changed, and releases it."""
    scene, start = bpy.context.scene, time.monotonic()
    before = scene["innerwalk_look"]
    person.hand("right").trigger = 1.0
    person.remote.send()
    yield from rig.until(
        "what was painted",
        lambda: (
            scene["innerwalk_look"] != before and at.live().hall(scene.session_uid).shown == scene["innerwalk_look"]
        ),
        60,
    )
    rig.report(name, round(time.monotonic() - start, 2))
    person.hand("right").trigger = 0.0
    yield from person.send()


def shows_picture() -> rig.Steps:
    """The card shows the picture as it is now."""
    contents, scene = at.addon("blender_addon.vr.display.card_content"), bpy.context.scene
    card, recording = walk_helpers.headset().drawing.card, at.addon("blender_addon.scene.hall.store")
    picture = contents.generated_picture(scene, recording.read_description(scene))
    yield from rig.until("the card", lambda: np.array_equal(card.content.picture, picture) and card.status, 60)
    rig.check("the card says how much is painted", dict(card.content.facts)["Painted"] == "1 stroke")


def undoes(person, own: dict) -> rig.Steps:
    """The menu takes the last stroke back."""
    yield from walk_helpers.choose(person, "left", "Undo stroke")
    yield from rig.until("the whole picture", lambda: at.equal(at.values(), own), 60)
    rig.check("nothing is painted", "innerwalk_strokes" not in bpy.context.scene)
    yield from person.press("left", "b_click")


def paints_on_picture(person, own: dict) -> rig.Steps:
    """The picture at the end takes the brush too."""
    at.act("go_to_place", place="Answer")
    yield from walk_helpers.frames(3)
    board = at.of_role("answer")
    yield from person.point("right", walk_helpers.centre(board))
    yield from carries_card(person, "left")
    yield from walk_helpers.looked()
    hit = walk_helpers.walk().hands["right"].hit
    rig.check("the ray meets the middle of the picture", walk_helpers.near(hit.spot, (0.5, 0.5), 0.03))
    yield from pressed(person, "seconds from press to picture, picture")
    rig.check("it has changed", not np.array_equal(at.values()["picture"], own["picture"]))
    yield from seen(person, "2 painted on the picture")
