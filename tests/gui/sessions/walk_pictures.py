"""Pictures of both eyes at a headset's resolution: entrance, a channel at the hand, menu, a gripped panel."""

import at_the_bridge as at
import in_walk
import session as rig
from mathutils import Matrix, Vector


def session() -> rig.Steps:
    rig.install()
    at.act("open_demo")
    rig.view3d().space.shading.type = "WIREFRAME"
    yield 0.5
    person = yield from in_walk.begin("baked")
    yield from in_walk.baked()
    seen = in_walk.eyes("entrance")
    rig.check("both eyes see something", in_walk.halves_differ_little(seen))
    at.act("go_to_place", place=in_walk.walk().landmarks[2].name)
    yield from in_walk.frames(2)
    place, _ = in_walk.tile("stem.conv", 5)
    before_eye(person, "right", (0.16, -0.24, -0.45), place)
    yield from person.send()
    yield from person.press("right", "trigger", 1.0)
    card = at.addon("blender_addon.vr.headset.headset_walk").current().drawing.card
    yield from rig.until("the card", lambda: card.content.title.endswith("· 5") and card.status is not None, 30)
    yield from in_walk.drawn()
    in_walk.eyes("channel in the hand")
    yield from person.press("left", "b_click")
    yield from person.point("left", in_walk.entry("Colours"))
    before_eye(person, "right", (0.4, -0.6, -0.2), place + Vector((0, 0, -1)))
    yield from person.send()
    yield from in_walk.drawn()
    in_walk.eyes("menu")
    yield from person.press("left", "b_click")
    yield from person.point("right", place)
    yield from person.down("right", "squeeze", 1.0)
    yield from person.point("right", place + Vector((0.3, -0.4, 0.2)))
    yield from in_walk.drawn()
    in_walk.eyes("gripped")
    yield from person.down("right", "squeeze", 0.0)
    yield from person.point("right", in_walk.floor(2.5))
    yield from in_walk.drawn()
    in_walk.eyes("floor")
    at.act("end_walk")
    yield from rig.until("the end", lambda: in_walk.walk() is None, 30)


def before_eye(person, name: str, where: tuple[float, float, float], towards: Vector) -> None:
    """Moves a hand by an offset (right, up, back) from the eye and points it at a place."""
    person.place(name, Matrix(in_walk.walk().body.eye().tolist()) @ Vector(where), towards)
