"""What sessions at a bridge share: the form filled in, values on panels, clicks on the hall, clocks."""

import importlib
import time
from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import session as rig
from mathutils import Vector

PHOTOS = "caltech101_9classes"


def addon(name: str) -> ModuleType:
    """A module of the installed extension."""
    return importlib.import_module(f"bl_ext.user_default.innerwalk.{name}")


def live() -> Any:
    return addon("blender_addon.live.session").current()


def fill_in(networks: dict[str, str], data: dict[str, str]) -> None:
    """The Bridge panel's form: names to models, names to places."""
    settings = addon("blender_addon.ui.bridge.settings").bridge_settings(bpy.context)
    settings.python = rig.PYTHON
    for name, model in networks.items():
        one = settings.networks.add()
        one.name, one.model = name, model
    for name, where in data.items():
        one = settings.data.add()
        one.name, one.where = name, where
    rig.region("UI").tag_redraw()


def act(name: str, **said: Any) -> None:
    """An operator, as its button calls it."""
    with rig.view3d().context():
        getattr(bpy.ops.innerwalk, name)("INVOKE_DEFAULT", True, **said)


def ready(seconds: float = 120) -> rig.Steps:
    yield from rig.until("the bridge", lambda: live().state != "starting", seconds)
    rig.check("the bridge is ready", live().state == "ready")
    yield 0.3


def built(network: str) -> rig.Steps:
    act("build_hall", network=network)
    yield from rig.until("the hall", lambda: bpy.context.scene.get("innerwalk_network") == network, 60)
    bpy.context.scene.eevee.taa_samples = 1
    yield 0.3


def in_hall(name: str, model: str, installed: Callable[[], None] = lambda: None) -> rig.Steps:
    """From nothing to the hall of a network, in shades of grey, which are drawn faster."""
    rig.install()
    installed()
    yield from rig.maximise()
    yield from rig.sidebar("Innerwalk")
    rig.view3d().space.shading.type = "WIREFRAME"
    fill_in({name: model}, {"photos": str(rig.DATA / PHOTOS)})
    act("start_bridge")
    yield from ready()
    yield from built(name)
    rig.look("SOLID", camera=False)


def placed(**given: Any) -> rig.Steps:
    """Another input, until it is shown."""
    act("place_input", **given)
    yield from settled_input()


def job() -> dict[str, Any]:
    """How the hall's job is doing."""
    return live().job(bpy.context.scene["innerwalk_work"])


def settled_input(seconds: float = 60) -> rig.Steps:
    """Until everything that the hall asked for is shown."""
    yield from rig.until(
        "what the network sees", lambda: live().results_of(str(bpy.context.scene["innerwalk_look"])), seconds
    )
    yield 0.1


def shelf_filled(seconds: float = 60) -> rig.Steps:
    """Until the shelf shows pictures."""
    pictures = addon("blender_addon.scene.hall.shelf_pictures").pictures_by_number
    yield from rig.until("the shelf", lambda: pictures(bpy.context.scene), seconds)


def panels() -> dict[str, bpy.types.Object]:
    return addon("blender_addon.scene.panels").panels(bpy.context.scene)


def values() -> dict[str, np.ndarray]:
    """What all panels hold now, by the layer whose maps they show."""
    store = addon("blender_addon.scene.hall.store")
    shows = {one.get("innerwalk_shows", id): one for id, one in panels().items()}
    return {id: store.read_maps(one, id, "now").texels for id, one in shows.items()}


def equal(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    """Whether all panels hold the same."""
    return one.keys() == other.keys() and all(np.array_equal(one[id], other[id]) for id in one)


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> list[str]:
    """Layers whose panels hold the same in both: [] where every panel has changed."""
    return [id for id in one if np.array_equal(one[id], other[id])]


def of_recording(made: Any) -> dict[str, np.ndarray]:
    return {layer: maps.texels for (layer, _), maps in made.all_maps.items()}


def of_role(role: str, **more: Any) -> bpy.types.Object:
    there = (one for one in bpy.context.scene.objects if one.get("innerwalk_role") == role)
    return next(one for one in there if all(one.get(f"innerwalk_{key}") == value for key, value in more.items()))


def middle(holder: bpy.types.Object) -> rig.Place:
    """Where the middle of something is seen."""
    corners = [holder.matrix_world @ Vector(corner) for corner in holder.bound_box]
    return rig.pixel(sum(corners, Vector()) / 8)


def tile(layer: str, channel: int) -> rig.Place:
    """Where the middle of a tile is seen."""
    panel = panels()[layer]
    columns, rows, width, height = panel["innerwalk_grid"]
    row, column = divmod(channel, int(columns))
    return rig.pixel(panel.matrix_world @ Vector(((column + 0.5) * width, (rows - row - 0.5) * height, 0)))


def answer() -> list[str]:
    """What the answer says: names on the board, as the hall's description has them."""
    answer = addon("blender_addon.scene.hall.store").read_description(bpy.context.scene).prediction
    return [f"{name} {share:.4f}" for _, name, share in answer.top]


class Clock:
    """How long callbacks of ours hold Blender, by name: wall seconds, and seconds that the thread had a processor."""

    def __init__(self) -> None:
        self.spans: dict[str, list[tuple[float, float]]] = defaultdict(list)

    def timed(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(work)
        def run(*given: Any, **named: Any) -> Any:
            start, own = time.monotonic(), time.thread_time()
            try:
                return work(*given, **named)
            finally:
                self.spans[name].append((time.monotonic() - start, time.thread_time() - own))

        return run

    def watch(self) -> None:
        """Timers, handlers, and what Blender calls of our classes. A timer that runs already isn't among them."""
        for module, name in (("live.timer", "tick"), ("ui.inspect.inspector_state", "update")):
            where = addon(f"blender_addon.{module}")
            setattr(where, name, self.timed(name, getattr(where, name)))
        for kind in ("depsgraph_update_post", "undo_post", "redo_post", "load_post", "save_pre", "frame_change_post"):
            held = getattr(bpy.app.handlers, kind)
            for k, one in enumerate(held):
                if one.__module__.startswith("bl_ext.user_default.innerwalk"):
                    held[k] = self.timed(f"{kind} {one.__name__}", one)
        showers = addon("blender_addon.live.event_handlers").HANDLERS
        for kind, show in showers.items():
            showers[kind] = self.timed(f"of a tick: {kind}", show)
        for cls in addon("blender_addon.ui").registered("CLASSES"):
            for name in ("draw", "draw_prepare", "execute", "invoke", "modal"):
                if name in vars(cls):
                    run = self.timed(f"{cls.__name__}.{name}", vars(cls)[name])
                    setattr(cls, name, _of_two(run) if name.startswith(("draw", "execute")) else _of_three(run))

    def told(self, most: int = 6) -> dict[str, list[float]]:
        """The longest: name -> ms of wall, ms of processor, how often."""
        longest = {name: (*(round(1000 * max(one[k] for one in spans), 1) for k in (0, 1)), len(spans))
                   for name, spans in self.spans.items()}  # fmt: skip
        return dict(sorted(longest.items(), key=lambda pair: -pair[1][0])[:most])


def _of_two(run: Callable[..., Any]) -> Callable[..., Any]:
    """Blender counts the arguments."""
    return lambda self, context: run(self, context)


def _of_three(run: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, context, event: run(self, context, event)


class Redraws:
    """How long the 3D view took to draw, each time."""

    def __init__(self) -> None:
        self.took: list[float] = []
        self.spans: list[tuple[float, float]] = []
        self._start = 0.0
        kind = bpy.types.SpaceView3D
        kind.draw_handler_add(self._begin, (), "WINDOW", "PRE_VIEW")
        kind.draw_handler_add(self._end, (), "WINDOW", "POST_PIXEL")

    def _begin(self) -> None:
        self._start = time.monotonic()

    def _end(self) -> None:
        self.took.append(time.monotonic() - self._start)
        self.spans.append((self._start, time.monotonic()))

    def within(self, start: float, end: float) -> float:
        """Seconds between two moments that went into drawing."""
        return sum(max(0.0, min(end, last) - max(start, first)) for first, last in self.spans)
