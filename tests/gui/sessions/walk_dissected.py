"""What channels detect, in a walk: labels read, searched, a concept ablated, two halls compared, training moved."""

import bpy
import bridge_helpers as at
import dissected_helpers as dissected
import session as rig
import walk_helpers
from mathutils import Matrix, Vector

LAYER = dissected.LAYERS[1]


def session() -> rig.Steps:
    yield from dissected.begin()
    own = at.values()
    yield from dissected.dissected()
    at.act("ask_method", method="activations")
    yield from rig.until("the activations", lambda: at.equal(at.values(), own), 60)
    person = yield from walk_helpers.begin()
    yield from finds(person)
    yield from reads(person)
    yield from ablates(person, own)
    yield from compares(person)
    yield from moves_through_training(person)
    yield from walk_helpers.choose(person, "right", "End")
    yield from rig.until("the end", lambda: walk_helpers.walk() is None, 120)
    rig.check("Blender goes on", len(at.panels()) == 23)


def card():
    return walk_helpers.headset().drawing.card


def titles() -> list[str]:
    return [item.label for item in walk_helpers.walk().menu.page.items]


def carries_card(person, name: str = "right") -> rig.Steps:
    """Holds a hand so that its card is before the eye, beside what is looked at."""
    walk = walk_helpers.walk()
    walk.card_hand = name
    eye = Matrix(walk.body.eye().tolist())
    person.place(name, eye @ Vector((0.22, -0.42, -0.62)), eye @ Vector((0.5, -1.0, -3.0)))
    yield from person.send()


def seen(person, name: str) -> rig.Steps:
    """Takes a picture of both eyes with everything drawn, where a compositor shows them."""
    if walk_helpers.has_pictures():
        yield from walk_helpers.drawn()
        walk_helpers.eyes(name)


def finds(person) -> rig.Steps:
    """Categories, then labels; a label leads to the panel of its first channel, whose tile is marked."""
    name = dissected.telling()
    layer, (channel, *_) = next(iter(dissected.concepts()[name].items()))
    yield from walk_helpers.choose(person, "left", "Labels")
    categories = at.addon("blender_addon.scene.panels.label_search").names_by_category(bpy.context.scene)
    rig.report("categories", categories)
    rig.check("the categories are listed", titles()[:-1] == [f"{key} ({len(own)})" for key, own in categories.items()])
    yield from seen(person, "1 categories")
    yield from walk_helpers.choose(person, "left", next(key for key, own in categories.items() if name in own))
    rig.check("the labels are listed", any(title.startswith(f"{name} (") for title in titles()))
    yield from seen(person, "2 labels")
    yield from walk_helpers.choose(person, "left", f"{name} (")
    rig.check("the label's first channel is selected", dissected.selected() == (layer, channel))
    rig.check("the menu is closed", walk_helpers.walk().menu is None)
    place = at.addon("blender_addon.vr.scene_landmarks").panel_landmark(bpy.context.scene, layer)
    eye = bpy.context.window_manager.xr_session_state.viewer_pose_location
    rig.check("the walker stands before its panel", walk_helpers.near(eye[:2], place.position, 0.1))
    yield from carries_card(person)
    yield from seen(person, "3 found")
    (mark,) = walk_helpers.headset().drawing._marks
    middle = mark.matrix() @ (sum(mark.points, Vector()) / len(mark.points))
    rig.check("its tile is marked", (middle - tile(layer, channel)).length < 0.02)


def tile(layer: str, channel: int) -> Vector:
    """Centre of a tile in the world, wherever its panel's maps have put it."""
    panel = at.panels()[layer]
    low, _, high, _ = at.addon("blender_addon.vr.outlines").tile_corners(panel, channel)
    return panel.matrix_world @ Vector(((low[0] + high[0]) / 2, (low[1] + high[1]) / 2, 0))


def reads(person) -> rig.Steps:
    """The ray names concept, category and IoU of a tile beside its value; the card has them once it is picked."""
    layer, channel = dissected.selected()
    name = dissected.concept(layer, channel).name
    others = [each for each in concepts(layer) if each != channel]
    other = min(others, key=lambda each: (concepts(layer)[each].name != name, each))
    walk_helpers.walk().card_hand = "left"  # lowered, so that the picture shows the name of the tile
    person.rest()
    yield from person.point("right", tile(layer, other))
    yield from walk_helpers.looked()
    hit, concept = walk_helpers.walk().hands["right"].hit, dissected.concept(layer, other)
    rig.check("the ray meets the tile", hit is not None and (hit.layer, hit.channel) == (layer, other))
    text = at.addon("blender_addon.vr.walk_drawing").label_text(bpy.context.scene, hit)
    rig.report("named", text)
    rig.check("what it detects is named", text.startswith(f"{concept.text}\n{layer} · {other} · ("))
    yield from seen(person, "4 pointed at")
    yield from person.press("right", "trigger", 1.0)
    yield from rig.until("the card", lambda: card().content.title == f"{layer} · {other}", 120)
    facts = dict(card().content.facts)
    rig.check("the card says the concept", facts["Detects"] == f"{concept.name}, IoU {concept.iou:.2f}")
    rig.check("and the category", facts["Category"] == concept.category)
    yield from carries_card(person)
    yield from seen(person, "5 on the card")


def concepts(layer: str) -> dict:
    return at.addon("blender_addon.scene.panels.concepts").read_concepts(at.panels()[layer])


def ablates(person, own: dict) -> rig.Steps:
    """The menu takes the concept away; the card has the prediction before and after; the menu restores it."""
    layer, channel = dissected.selected()
    name, before = dissected.concept(layer, channel).name, at.answer()
    yield from walk_helpers.choose(person, "left", f"Ablate {name}")
    yield from at.settled_input()
    yield from rig.until("the panels", lambda: not at.equal(at.values(), own), 60)
    expected = dissected.recorded("mine", dissected.concepts()[name])
    rig.check("panels show the network without the concept", at.equal(at.values(), expected))
    yield from rig.until("the card", lambda: "Before" in dict(card().content.facts), 120)
    facts = dict(card().content.facts)
    rig.report("ablated", {"concept": name, "before": before, "after": at.answer(), "facts": facts})
    rig.check("the prediction before and after is on the card", facts["Before"].split()[0] == before[0].split()[0])
    rig.check("the one after is the board's", facts["Now"].split()[0] == at.answer()[0].split()[0])
    yield from person.press("left", "b_click")
    yield from carries_card(person)
    yield from seen(person, "6 ablated")
    yield from walk_helpers.choose(person, "left", "Restore")
    yield from rig.until("the whole network", lambda: at.equal(at.values(), own), 60)
    rig.check("the menu restores it", at.answer() == before)
    yield from person.press("left", "b_click")


def compares(person) -> rig.Steps:
    """The other hall is set beside this one and walked, an input reaches both, and its tiles can be picked."""
    mine = bpy.context.scene
    early = next(scene for scene in bpy.data.scenes if scene.get("innerwalk_network") == "early")
    yield from walk_helpers.choose(person, "left", "Compare", "Beside early")
    rig.check("it is marked as shown", walk_helpers.walk().menu.page.items[0].on)
    (instance,) = (found for found in mine.objects if found.get("innerwalk_role") == "beside")
    yield from person.press("left", "b_click")
    first = [dissected.values_of(hall) for hall in (mine, early)]
    at.act("place_input", noise=7)
    yield from at.settled_input()
    yield from rig.until("the other hall", lambda: not at.equal(dissected.values_of(early), first[1]), 60)
    second = [dissected.values_of(hall) for hall in (mine, early)]
    rig.check("the input reaches every panel of both", not any(map(at.unchanged, first, second)))
    names = [landmark.name for landmark in walk_helpers.walk().landmarks]
    rig.check("the tour goes through both", "early: Entrance" in names and names[0] == "Entrance")
    at.act("go_to_place", place="early: Entrance")
    yield from walk_helpers.frames(3)
    eye = bpy.context.window_manager.xr_session_state.viewer_pose_location
    rig.check("the walker stands in the other hall", walk_helpers.near(eye[:2], (instance.location.x, -1.2), 0.15))
    yield from seen(person, "7 the other hall")
    yield from picks_beside(person, mine, early, instance)


def picks_beside(person, mine, early, instance) -> rig.Steps:
    panel = next(found for found in early.objects if found.get("innerwalk_id") == "stem.conv")
    low, _, high, _ = at.addon("blender_addon.vr.outlines").tile_corners(panel, 2)
    inner = Vector(((low[0] + high[0]) / 2, (low[1] + high[1]) / 2, 0))
    at.act("go_to_place", place=next(name for name in stages(early)))
    yield from walk_helpers.frames(3)
    yield from person.point("right", instance.matrix_world @ panel.matrix_world @ inner)
    yield from walk_helpers.looked()
    hit = walk_helpers.walk().hands["right"].hit
    rig.check(
        "the ray meets a tile of the other hall", hit is not None and (hit.object, hit.channel) == (panel.name, 2)
    )
    yield from person.press("right", "trigger", 1.0)
    actions = at.addon("blender_addon.actions")
    both = [tuple(actions.selected(hall)) for hall in (mine, early)]
    rig.check("the channel is selected in both", both == [("stem.conv", 2)] * 2)
    rig.check("and marked in both", len(walk_helpers.headset().drawing._marks) == 2)
    yield from rig.until("the card", lambda: "early" in dict(card().content.facts), 120)
    facts = dict(card().content.facts)
    rig.report("beside", facts)
    rig.check("the card has the other hall's prediction and channel", "Peak in early" in facts)
    yield from carries_card(person)
    yield from seen(person, "8 a tile of the other hall")
    yield from walk_helpers.choose(person, "left", "Compare", "Remove")
    rig.check("the other hall is gone", not any(found.get("innerwalk_role") == "beside" for found in mine.objects))
    yield from person.press("left", "b_click")


def stages(early) -> list[str]:
    names = [landmark.name for landmark in walk_helpers.walk().landmarks]
    return [name for name in names if name.startswith("early: ")][2:]


def moves_through_training(person) -> rig.Steps:
    """The menu steps through the checkpoints of a series; every panel changes at once."""
    maps = dissected.written_series(rig.OUT / "epochs")
    bpy.ops.innerwalk.open_series("EXEC_DEFAULT", True, directory=str(rig.OUT / "epochs"))
    at.act("go_to_place", place="Entrance")
    yield from walk_helpers.frames(3)
    labels = [*maps]
    yield from walk_helpers.choose(person, "left", "Series")
    page = walk_helpers.walk().menu.page
    rig.check("the epoch is the title", page.title == f"{labels[0]}, 1 of {len(labels)}")
    rig.check("there is none before it", not page.items[0].enabled)
    for entry in (1, 2):
        yield from walk_helpers.choose(person, "left", "Later")
        rig.check(f"one step shows {labels[entry]}", at.equal(at.values(), maps[labels[entry]]))
        title = walk_helpers.walk().menu.page.title
        rig.check(f"which is the title of {labels[entry]}", title == f"{labels[entry]}, {entry + 1} of {len(labels)}")
    yield from seen(person, "9 an epoch")
    yield from walk_helpers.choose(person, "left", labels[3])
    rig.check("an entry is chosen by its name", at.equal(at.values(), maps[labels[3]]))
    yield from walk_helpers.choose(person, "left", "Earlier")
    rig.check("and the one before it", at.equal(at.values(), maps[labels[2]]))
    yield from person.press("left", "b_click")
