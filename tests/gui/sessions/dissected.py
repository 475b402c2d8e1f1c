"""What channels detect, in a window: labels read, searched, a concept ablated, training moved, two halls compared."""

from collections.abc import Iterator

import bpy
import bridge_helpers as at
import dissected_helpers as dissected
import session as rig

LAYER = dissected.LAYERS[1]


def session() -> rig.Steps:
    yield from dissected.begin()
    own = at.values()
    yield from dissected.dissected()
    yield from reads()
    yield from searches()
    at.act("ask_method", method="activations")
    yield from rig.until("the activations", lambda: at.equal(at.values(), own), 60)
    yield from reads_beside_values()
    yield from ablates(own)
    yield from compares()
    yield from moves_through_training()


def opened(*names: str) -> None:
    """Shows only these panels of the sidebar, open, so that their buttons can be found."""
    for kind in reversed([*_sidebar()]):
        if kind.is_registered:
            bpy.utils.unregister_class(kind)
    for kind in _sidebar():
        if kind.__name__.rpartition("PT_")[2] in names:
            kind.bl_options = set()
            bpy.utils.register_class(kind)
    rig.region("UI").tag_redraw()


def _sidebar() -> Iterator[type]:
    return (kind for kind in at.addon("blender_addon.ui").registered("CLASSES") if "_PT_" in kind.__name__)


def looks_at(layer: str) -> rig.Steps:
    with rig.view3d().context():
        bpy.ops.innerwalk.jump("EXEC_DEFAULT", True, layer=layer)
    yield 0.5


def shown(name: str) -> rig.Steps:
    rig.look("RENDERED", camera=False)
    yield from rig.settled()
    rig.picture(name)
    rig.look("SOLID", camera=False)


def facts() -> rig.Steps:
    """Waits for the inspector; returns the facts of the selected channel."""
    seen, scene = at.addon("blender_addon.ui.inspect.inspector_state"), bpy.context.scene
    key = lambda: seen.cache_key(bpy.context.scene)  # noqa: E731
    results = seen.state.results
    rig.region("UI").tag_redraw()
    uid = scene.session_uid
    yield from rig.until("the inspector", lambda: uid in results and results[uid].key == key() and results[uid].channel)
    return dict(results[uid].channel.facts)


def reads() -> rig.Steps:
    """A click on a tile says what it detects, and so does the pointer over it."""
    opened("channel")
    found = dissected.concepts()
    rig.report("concepts", {name: sum(map(len, units.values())) for name, units in found.items()})
    yield from looks_at(LAYER)
    labelled = {channel: name for name, units in found.items() for channel in units.get(LAYER, ())}
    channel = min(labelled, key=lambda each: tile(LAYER, each)[0])  # the sidebar covers those at the right
    name, place = labelled[channel], tile(LAYER, channel)
    yield from rig.click(place)
    rig.check("the clicked tile is selected", dissected.selected() == (LAYER, channel))
    concept, known = dissected.concept(LAYER, channel), (yield from facts())
    rig.report("facts of a labelled tile", known)
    rig.check("concept and IoU are said", known["Detects"] == f"{name}, IoU {concept.iou:.2f}")
    rig.check("and the category", known["Category"] == concept.category and bool(concept.category))
    rig.check("and nothing twice", "Stands for" not in known and "Value" not in known)
    at.act("probe")
    yield from rig.move(place)
    yield 0.2
    pointed = at.addon("blender_addon.ui.inspect.inspector_state").state.cursor_value
    rig.report("pointed", pointed)
    rig.check("the pointer says them too", pointed.startswith(f"{LAYER} · channel {channel} · {concept.text} · ("))
    yield from shown("1 a label is read")
    yield from rig.press("ESC", place)


def tile(layer: str, channel: int) -> rig.Place:
    """Pixel of a tile's centre, wherever its panel's maps have put it."""
    outlines = at.addon("blender_addon.vr.outlines")
    panel = at.panels()[layer]
    low, _, high, _ = outlines.tile_corners(panel, channel)
    middle = [(a + b) / 2 for a, b in zip(low, high, strict=True)]
    return rig.pixel(panel.matrix_world @ rig.Vector((*middle, 0)))


def searches() -> rig.Steps:
    """The magnifier below the layers finds one channel after the other."""
    opened("layers")
    yield 0.5
    name = dissected.telling()
    units = [(layer, channel) for layer, own in dissected.concepts()[name].items() for channel in own]
    place = yield from rig.button("innerwalk.find_label", right=0.82)
    yield from rig.click(place)
    yield 0.5
    field, accept = (place[0] - 60, place[1]), (place[0] - 46, place[1] - 29)
    yield from rig.click(field)
    yield from rig.write(name, field)
    yield 0.5
    rig.picture("2 the search is open")
    yield from rig.press("RET", field)
    yield 0.3
    yield from rig.click(accept)
    yield 0.5
    seen = [dissected.selected()]
    rig.check("the dialog selects a channel with the label", seen[0] in units)
    yield from shown("3 found")
    for _ in units[1:]:
        with rig.view3d().context():
            bpy.ops.innerwalk.find_label("EXEC_DEFAULT", True, text=name)
        seen.append(dissected.selected())
    rig.check("each channel of the concept is selected once", sorted(seen) == sorted(units))


def reads_beside_values() -> rig.Steps:
    """While activations are shown, the concept stands beside them."""
    opened("channel")
    yield 0.3
    layer, channel = dissected.selected()
    concept, known = dissected.concept(layer, channel), (yield from facts())
    rig.check("the concept is known beside activations", known["Detects"] == f"{concept.name}, IoU {concept.iou:.2f}")
    rig.check("with values of the map", "Peak" in known and "Range" in known)
    yield from shown("4 beside values")


def ablates(own: dict) -> rig.Steps:
    """The sidebar's button takes a concept away; the prediction stands there before and after; undo brings it back."""
    layer, channel = dissected.selected()
    name = dissected.concept(layer, channel).name
    units, before = dissected.concepts()[name], at.answer()
    place = yield from rig.button("innerwalk.ablate_concept")
    yield from rig.click(place)
    yield from at.settled_input()
    yield from rig.until("the panels", lambda: not at.equal(at.values(), own), 60)
    rig.check("panels show the network without the concept", at.equal(at.values(), dissected.recorded("mine", units)))
    said = dict(at.addon("blender_addon.actions.ablating").ablation_facts(bpy.context.scene))
    rig.report("ablated", {"concept": name, "units": units, "before": before, "after": at.answer(), "said": said})
    rig.check("the prediction before is said", said["Before"].split()[0] == before[0].split()[0])
    rig.check("and the one after", said["Now"].split()[0] == at.answer()[0].split()[0])
    yield from shown("5 a concept is ablated")
    yield from rig.press("Z", rig.middle(rig.view3d().region), ctrl=True)
    yield from rig.until("the whole network", lambda: at.equal(at.values(), own), 60)
    rig.check("undo restores channels and prediction", at.answer() == before)
    rig.check(
        "and says nothing any more", not at.addon("blender_addon.actions.ablating").ablation_facts(bpy.context.scene)
    )


def compares() -> rig.Steps:
    """Another hall stands beside this one; an input reaches both, and a click on either selects in both."""
    opened("compare", "channel")
    mine, early = (
        bpy.context.scene,
        next(scene for scene in bpy.data.scenes if scene.get("innerwalk_network") == "early"),
    )
    mine.innerwalk.other, mine.innerwalk.share = early.name, True
    rig.region("UI").tag_redraw()
    yield 0.5
    place = yield from rig.button("innerwalk.stand_beside")
    yield from rig.click(place)
    yield 0.5
    first = [dissected.values_of(hall) for hall in (mine, early)]
    at.act("place_input", noise=7)
    yield from at.settled_input()
    yield from rig.until("the other hall", lambda: not at.equal(dissected.values_of(early), first[1]), 60)
    second = [dissected.values_of(hall) for hall in (mine, early)]
    rig.check("the input reaches every panel of both", not any(map(at.unchanged, first, second)))
    rig.check("which differ", not at.equal(*second))
    (instance,) = (found for found in mine.objects if found.get("innerwalk_role") == "beside")
    panel = next(found for found in early.objects if found.get("innerwalk_id") == LAYER)
    hit = at.addon("blender_addon.scene.hall.ray_hits").Hit("panel", LAYER, 3, (0.5, 0.5), object=panel.name)
    line = at.addon("blender_addon.actions.clicking").ON_CLICK["panel"](mine, hit)
    rig.report("a click on the other hall", line)
    actions = at.addon("blender_addon.actions")
    both = [tuple(actions.selected(hall)) for hall in (mine, early)]
    rig.check("the same channel is selected in both", both == [(LAYER, 3)] * 2)
    rig.check("and the line says whose tile it was", line.startswith("early: "))
    said = at.addon("blender_addon.actions.comparing").beside_facts(mine)
    rig.report("beside", said)
    rig.check(
        "the other hall's prediction and channel are said", [name for name, _ in said] == ["early", "Peak in early"]
    )
    yield from overview(instance)
    yield from shown("6 two halls")
    at.act("stand_alone")


def overview(instance) -> rig.Steps:
    """Looks from above the entrance between both halls."""
    space = rig.view3d().space.region_3d
    space.view_perspective = "PERSP"
    space.view_location = (instance.location.x / 2, 6.0, 1.0)
    space.view_distance = 22.0
    space.view_rotation = rig.Vector((0.0, 0.75, -0.66)).to_track_quat("-Z", "Y")
    yield 0.3


def moves_through_training() -> rig.Steps:
    """The slider of a series of checkpoints moves every panel at once."""
    opened("series")
    maps = dissected.written_series(rig.OUT / "epochs")
    bpy.ops.innerwalk.open_series("EXEC_DEFAULT", True, directory=str(rig.OUT / "epochs"))
    with rig.view3d().context():
        bpy.ops.innerwalk.enter("EXEC_DEFAULT", True)
    yield from rig.settled()
    rig.check("concepts of other weights are forgotten", dissected.concepts() == {})
    part, labels = rig.region("UI"), [*maps]
    step = yield from rig.button("innerwalk.show_position", right=0.08)
    rig.check("the first entry is shown", at.equal(at.values(), maps[labels[0]]))
    middle = part.x + (part.width - rig.TABS) / 2
    yield from rig.drag((middle - 30, step[1]), (middle + 60, step[1]))
    yield 0.5
    position = bpy.context.scene["innerwalk_series_position"]
    rig.report("dragged to", position)
    rig.check("dragging the slider shows a later entry", position > 0 and at.equal(at.values(), maps[labels[position]]))
    yield from shown("7 the slider is dragged")
    for share, entry in ((0.0, 0), (33.0, 1), (100.0, 3), (60.0, 2)):
        bpy.context.scene.innerwalk_series_share = share
        rig.check(f"at {share:g} % is {labels[entry]}", at.equal(at.values(), maps[labels[entry]]))
    bpy.ops.innerwalk.key_series("EXEC_DEFAULT", True, first=1, step=5)
    bpy.context.scene.innerwalk_series_share = 100.0
    rig.check("keyed, the slider moves the timeline", bpy.context.scene.frame_current == 16)
    rig.check("and the panels", at.equal(at.values(), maps[labels[3]]))
    yield from shown("8 keyed")
