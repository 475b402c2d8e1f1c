"""Seeded random actions with undo and redo in a hall with a bridge: nothing raises; at the end all values are right."""

from collections.abc import Callable
from contextlib import suppress

import bpy
import bridge_helpers as at
import numpy as np
import session as rig

ACTIONS = 200
SEED = 0
LAYERS = ("stem.conv", "stage1.0.conv1", "stage2.0.conv1", "stage3.1:add", "fc")
METHODS = ("grad_cam", "saliency", "weights", "activations")


def session() -> rig.Steps:
    yield from at.in_hall("mine", "object")
    chance, done = np.random.default_rng(SEED), {}
    yield from of_issue()
    rig.open_object()
    rig.view3d().window.scene = next(scene for scene in bpy.data.scenes if scene.get("innerwalk_network"))
    for _ in range(ACTIONS):
        name = str(chance.choice(list(ACTS)))
        done[name] = done.get(name, 0) + 1
        with suppress(RuntimeError, ValueError):  # an operator refuses, or the scene has no panels
            ACTS[name](chance)
        yield float(chance.choice((0.0, 0.05, 0.3)))
        reads_panels()
    yield from rig.until("the jobs' ends", lambda: not running(), 300)
    yield from shows_recorded()
    rig.report("actions", done)
    bpy.ops.wm.save_as_mainfile(filepath="/tmp/walked.blend")
    bpy.ops.wm.open_mainfile(filepath="/tmp/walked.blend")
    yield 1.0
    reads_panels()
    for _ in range(20):
        with suppress(RuntimeError, ValueError):
            ACTS[str(chance.choice(("click", "look", "jump", "hide", "undo", "switch", "delete")))](chance)
        yield 0.1
    reads_panels()
    rig.picture("at the end")


def of_issue() -> rig.Steps:
    """Methods with clicks in between, each undone: values of one had been read in the size of another."""
    at.act("jump", layer="stage1.0.conv1")
    yield 0.3
    yield from rig.click(at.tile("stage1.0.conv1", 3))
    at.act("ask_method", method="grad_cam")
    yield from rig.until("Grad-CAM", lambda: not running(), 120)
    yield from rig.click(at.tile("stage1.0.conv1", 0))
    at.act("ask_method", method="activations")
    yield 0.5
    yield from rig.click(at.tile("stage1.0.conv1", 7))
    for again in (False, False, False, False, True, True, False):
        yield from rig.press("Z", rig.middle(rig.view3d().region), ctrl=True, **({"shift": True} if again else {}))
        yield 0.3
        reads_panels()


def running() -> bool:
    return at.live().is_running(str(bpy.context.scene.get("innerwalk_work", "")))


def reads_panels() -> None:
    """Reads what every panel shows. Raises SceneError where its images aren't of the size of its maps."""
    at.values()


def shows_recorded() -> rig.Steps:
    """At the end, each panel shows what the network gave for the hall's input in its layer."""
    rig.view3d().window.scene = next(scene for scene in bpy.data.scenes if scene.get("innerwalk_network"))
    yield from at.placed(noise=1)
    at.act("ask_method", method="activations")
    yield from rig.until("the activations", lambda: not running(), 120)
    yield from rig.settled()
    recorded = at.of_recording(at.live().results_of(str(bpy.context.scene["innerwalk_look"])))
    shown = at.values()
    rig.report("panels compared", len(shown))
    rig.check("panels show their layers", all(np.array_equal(recorded[id], shown[id]) for id in shown))


def asks(chance: np.random.Generator) -> None:
    at.act("ask_method", method=str(chance.choice(METHODS)), layers=str(chance.choice(("panels", *LAYERS))))


def clicks(chance: np.random.Generator) -> None:
    layer = str(chance.choice(sorted(at.panels())))
    at.addon("blender_addon.actions").select(bpy.context.scene, layer, int(chance.integers(8)))


def chosen(chance: np.random.Generator) -> bpy.types.Object:
    """A panel, which becomes the selected and active object."""
    panel = at.panels()[str(chance.choice(sorted(at.panels())))]
    with rig.view3d().context():
        bpy.ops.object.select_all(action="DESELECT")
    panel.select_set(True)
    bpy.context.view_layer.objects.active = panel
    return panel


def duplicate(chance: np.random.Generator) -> None:
    chosen(chance)
    with rig.view3d().context():
        bpy.ops.object.duplicate("EXEC_DEFAULT", True)


def delete(chance: np.random.Generator) -> None:
    chosen(chance)
    with rig.view3d().context():
        bpy.ops.object.delete("EXEC_DEFAULT", True)


def rename(chance: np.random.Generator) -> None:
    chosen(chance).name = str(chance.choice(("fc", "a panel", "Camera")))


def switch(chance: np.random.Generator) -> None:
    rig.view3d().window.scene = bpy.data.scenes[int(chance.integers(len(bpy.data.scenes)))]


def undo(chance: np.random.Generator) -> None:
    with rig.view3d().context():
        step = bpy.ops.ed.undo if chance.random() < 0.65 else bpy.ops.ed.redo
        if step.poll():
            step()


def look(chance: np.random.Generator) -> None:
    with rig.view3d().context():
        bpy.ops.innerwalk.show_look("EXEC_DEFAULT", True, colour_map=str(chance.choice(("signed", "ember", "paper"))))


def act(name: str, **of_chance: Callable[[np.random.Generator], object]) -> Callable[[np.random.Generator], None]:
    return lambda chance: at.act(name, **{key: value(chance) for key, value in of_chance.items()})


def layer(chance: np.random.Generator) -> str:
    return str(chance.choice(LAYERS))


ACTS = {
    "ask": asks,
    "click": clicks,
    "duplicate": duplicate,
    "delete": delete,
    "rename": rename,
    "switch": switch,
    "switch back": switch,
    "undo": undo,
    "undo again": undo,
    "undo once more": undo,
    "look": look,
    "jump": act("jump", layer=layer),
    "hide": act("hide", layer=layer),
    "solo": act("solo", layer=layer),
    "move": act("move", layer=layer, by=lambda chance: (0.0, 0.0, float(chance.uniform(-0.5, 0.5)))),
    "reset": act("reset_layout"),
    "noise": act("place_input", noise=lambda chance: int(chance.integers(5))),
    "collapse": act("collapse", block=lambda chance: "stage2.*"),
    "expand": act("expand"),
}
