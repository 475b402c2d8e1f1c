"""Pictures of both eyes at a headset's resolution: entrance, a channel at the hand, menu, a gripped panel."""

import bridge_helpers as at
import session as rig
import walk_helpers
from mathutils import Matrix, Vector


def session() -> rig.Steps:
    rig.install()
    rig.open_object()
    rig.view3d().space.shading.type = "WIREFRAME"
    yield 0.5
    person = yield from walk_helpers.begin()
    seen = walk_helpers.eyes("entrance")
    rig.check("both eyes see something", walk_helpers.halves_differ_little(seen))
    at.act("go_to_place", place=walk_helpers.walk().landmarks[2].name)
    yield from walk_helpers.frames(2)
    place, _ = walk_helpers.tile("stem.conv", 5)
    before_eye(person, "right", (0.16, -0.24, -0.45), place)
    yield from person.send()
    yield from person.press("right", "trigger", 1.0)
    card = at.addon("blender_addon.vr.headset.headset_walk").current().drawing.card
    yield from rig.until("the card", lambda: card.content.title.endswith("· 5") and card.status is not None, 120)
    yield from walk_helpers.drawn()
    walk_helpers.eyes("channel in the hand")
    yield from person.press("left", "b_click")
    yield from person.point("left", walk_helpers.entry("Colours"))
    before_eye(person, "right", (0.4, -0.6, -0.2), place + Vector((0, 0, -1)))
    yield from person.send()
    yield from walk_helpers.drawn()
    walk_helpers.eyes("menu")
    yield from person.press("left", "b_click")
    yield from person.point("right", place)
    yield from person.down("right", "squeeze", 1.0)
    yield from person.point("right", place + Vector((0.3, -0.4, 0.2)))
    yield from walk_helpers.drawn()
    walk_helpers.eyes("gripped")
    yield from person.down("right", "squeeze", 0.0)
    yield from person.point("right", walk_helpers.floor(2.5))
    yield from walk_helpers.drawn()
    walk_helpers.eyes("floor")
    at.act("end_walk")
    yield from rig.until("the end", lambda: walk_helpers.walk() is None, 120)


def before_eye(person, name: str, where: tuple[float, float, float], towards: Vector) -> None:
    """Moves a hand by an offset (right, up, back) from the eye and points it at a place."""
    person.place(name, Matrix(walk_helpers.walk().body.eye().tolist()) @ Vector(where), towards)
