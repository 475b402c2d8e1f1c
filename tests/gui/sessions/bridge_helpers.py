"""Shared by sessions with a bridge: filling in the form, reading panels, clicking on the hall, measuring times."""

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
from mathutils import Quaternion, Vector

PHOTOS = "caltech101_9classes"


def addon(name: str) -> ModuleType:
    """A module of the installed extension."""
    return importlib.import_module(f"bl_ext.user_default.innerwalk.{name}")


def live() -> Any:
    return addon("blender_addon.live.session").current()


def open_panels() -> None:
    """Registers the panels that are closed at first as open ones."""
    for cls in addon("blender_addon.ui").registered("CLASSES"):
        if "DEFAULT_CLOSED" in getattr(cls, "bl_options", ()):
            bpy.utils.unregister_class(cls)
            cls.bl_options = set()
            bpy.utils.register_class(cls)


def fill_in(networks: dict[str, str], data: dict[str, str]) -> None:
    """Fills in the Bridge panel's form. networks: models by name; data: folders by name."""
    settings = addon("blender_addon.ui.bridge.settings").bridge_settings(bpy.context)
    settings.python = rig.PYTHON
    for name, model in networks.items():
        network = settings.networks.add()
        network.name, network.model = name, model
    for name, folder in data.items():
        entry = settings.data.add()
        entry.name, entry.where = name, folder
    rig.region("UI").tag_redraw()


def act(name: str, **properties: Any) -> None:
    """Calls an operator as its button does."""
    with rig.view3d().context():
        getattr(bpy.ops.innerwalk, name)("INVOKE_DEFAULT", True, **properties)


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
    """Installs the extension, starts a bridge and builds a network's hall, in solid view, which is drawn faster."""
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


def placed(**properties: Any) -> rig.Steps:
    """Places another input and waits until it is shown."""
    act("place_input", **properties)
    yield from settled_input()


def job() -> dict[str, Any]:
    """State of the hall's job, as the bridge describes it."""
    return live().job(bpy.context.scene["innerwalk_work"])


def settled_input(seconds: float = 60) -> rig.Steps:
    """Waits until the maps of the hall's input are shown."""
    yield from rig.until(
        "the maps of the input", lambda: live().results_of(str(bpy.context.scene["innerwalk_look"])), seconds
    )
    yield 0.1


def shelf_filled(seconds: float = 60) -> rig.Steps:
    """Waits until the shelf shows pictures."""
    pictures = addon("blender_addon.scene.hall.shelf_pictures").pictures_by_number
    yield from rig.until("the shelf", lambda: pictures(bpy.context.scene), seconds)


def panels() -> dict[str, bpy.types.Object]:
    return addon("blender_addon.scene.panels").panels(bpy.context.scene)


def values() -> dict[str, np.ndarray]:
    """Texels of all panels, by the layer whose maps they show."""
    store = addon("blender_addon.scene.hall.store")
    shown = {panel.get("innerwalk_shows", id): panel for id, panel in panels().items()}
    return {id: store.read_maps(panel, id, "now").texels for id, panel in shown.items()}


def equal(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> bool:
    """Whether all panels hold the same values."""
    return first.keys() == second.keys() and all(np.array_equal(first[id], second[id]) for id in first)


def unchanged(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> list[str]:
    """Layers whose panels hold the same values in both; [] if every panel has changed."""
    return [id for id in first if np.array_equal(first[id], second[id])]


def of_recording(recording: Any) -> dict[str, np.ndarray]:
    return {layer: maps.texels for (layer, _), maps in recording.all_maps.items()}


def of_role(role: str, **more: Any) -> bpy.types.Object:
    holders = (holder for holder in bpy.context.scene.objects if holder.get("innerwalk_role") == role)
    return next(
        holder for holder in holders if all(holder.get(f"innerwalk_{key}") == value for key, value in more.items())
    )


def middle(holder: bpy.types.Object) -> rig.Place:
    """Pixel of the window that shows the centre of an object."""
    corners = [holder.matrix_world @ Vector(corner) for corner in holder.bound_box]
    return rig.pixel(sum(corners, Vector()) / 8)


def tile(layer: str, channel: int) -> rig.Place:
    """Pixel of the window that shows the centre of a tile."""
    panel = panels()[layer]
    columns, rows, width, height = panel["innerwalk_grid"]
    row, column = divmod(channel, int(columns))
    return rig.pixel(panel.matrix_world @ Vector(((column + 0.5) * width, (rows - row - 0.5) * height, 0)))


def answer() -> list[str]:
    """Names and shares on the answer board, from the hall's description."""
    answer = addon("blender_addon.scene.hall.store").read_description(bpy.context.scene).prediction
    return [f"{name} {share:.4f}" for _, name, share in answer.top]


class Clock:
    """Measures the extension's callbacks, by name: seconds of wall time and of the thread's processor time."""

    def __init__(self) -> None:
        self.spans: dict[str, list[tuple[float, float]]] = defaultdict(list)

    def timed(self, name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(work)
        def run(*positional: Any, **named: Any) -> Any:
            start, own = time.monotonic(), time.thread_time()
            try:
                return work(*positional, **named)
            finally:
                self.spans[name].append((time.monotonic() - start, time.thread_time() - own))

        return run

    def watch(self) -> None:
        """Measure timers, handlers and methods that Blender calls; a timer that is already running is left out."""
        for module, name in (("live.timer", "tick"), ("ui.inspect.inspector_state", "update")):
            where = addon(f"blender_addon.{module}")
            setattr(where, name, self.timed(name, getattr(where, name)))
        for kind in ("depsgraph_update_post", "undo_post", "redo_post", "load_post", "save_pre", "frame_change_post"):
            held, of_halls = getattr(bpy.app.handlers, kind), addon("blender_addon.scene.hall.session_events").HANDLERS
            for k, handler in enumerate(held):
                if handler.__module__.startswith("bl_ext.user_default.innerwalk"):
                    held[k] = self.timed(f"{kind} {handler.__name__}", handler)
                if of_halls.get(kind) == handler:
                    of_halls[kind] = held[k]  # else it would be installed again
        handlers = addon("blender_addon.live.bridge_events").HANDLERS
        for kind, show in handlers.items():
            handlers[kind] = self.timed(f"of a tick: {kind}", show)
        for cls in addon("blender_addon.ui").registered("CLASSES"):
            for name in ("draw", "draw_prepare", "execute", "invoke", "modal"):
                if name in vars(cls):
                    run = self.timed(f"{cls.__name__}.{name}", vars(cls)[name])
                    setattr(cls, name, _of_two(run) if name.startswith(("draw", "execute")) else _of_three(run))

    def summary(self, most: int = 6) -> dict[str, list[float]]:
        """The longest ones: milliseconds of wall time and of processor time, and number of calls, by name."""
        longest = {name: (*(round(1000 * max(span[k] for span in spans), 1) for k in (0, 1)), len(spans))
                   for name, spans in self.spans.items()}  # fmt: skip
        return dict(sorted(longest.items(), key=lambda pair: -pair[1][0])[:most])


def _of_two(run: Callable[..., Any]) -> Callable[..., Any]:
    """Fixes the number of arguments, which Blender checks."""
    return lambda self, context: run(self, context)


def _of_three(run: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, context, event: run(self, context, event)


class Redraws:
    """Measures how long each redraw of the 3D view takes."""

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
        """Seconds of drawing between two moments."""
        return sum(max(0.0, min(end, last) - max(start, first)) for first, last in self.spans)


def redraw_seconds(draws: int = 8) -> dict[str, float]:
    """Seconds that the 3D view takes to be drawn again and shown while it turns, by its shading."""
    view, found = rig.view3d(), {}
    for shading in ("SOLID", "MATERIAL", "RENDERED"):
        view.space.shading.type = shading
        spent = []
        for _ in range(draws):
            view.space.region_3d.view_rotation @= Quaternion((0, 0, 1), 0.01)
            with view.context():
                began = time.monotonic()
                bpy.ops.wm.redraw_timer(type="DRAW_SWAP", iterations=1)
                spent.append(time.monotonic() - began)
        found[shading] = round(sorted(spent)[draws // 2], 3)
    return found
