"""Tools of a session: steps, checks, the 3D view, simulated mouse and keys, pictures of the window.

A session is a script with a generator `session()`. Each `yield` lets Blender run for that many seconds (none: 0.05 s);
generators of this module are called by `yield from`. Places are pixels of the window (x, y), origin at the bottom left.
"""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import bpy
import numpy as np
from bpy_extras.view3d_utils import location_3d_to_region_2d
from mathutils import Vector

IN, OUT, DATA = Path(os.environ["RIG_IN"]), Path(os.environ["RIG_OUT"]), Path(os.environ["INNERWALK_DATA"])
OBJECT = IN / "object_recording"
"""The recording of the small network `object`, which has 23 panels."""
PYTHON = os.environ["INNERWALK_PYTHON"]
"""A Python that has torch."""

Steps = Iterator[float | None]
Place = tuple[float, float]
_report: dict[str, Any] = {"blender": bpy.app.version_string, "checks": {}}


def report(name: str, value: Any) -> None:
    """Reports a JSON value to the test outside; it is written at once, so that a later crash doesn't lose it."""
    _report[name] = value
    (OUT / "result.json").write_text(json.dumps(_report, indent=1, default=float))


def check(what: str, holds: object) -> None:
    """Reports whether a condition holds. If not, the session continues, but its test fails."""
    report("checks", _report["checks"] | {what: bool(holds)})


def passed() -> bool:
    """Whether the session reached its end and every check held."""
    return "error" not in _report and all(_report["checks"].values())


def until(what: str, condition: Callable[[], object], seconds: float = 30) -> Steps:
    """Lets Blender run until the condition holds. Raises TimeoutError."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"gave up waiting for: {what}")
        yield 0.05


def install() -> None:
    """Installs and enables the extension's zip, as Install from Disk does."""
    (package,) = IN.glob("innerwalk-*.zip")
    bpy.ops.extensions.package_install_files(filepath=str(package), repo="user_default", enable_on_install=True)


def open_object() -> None:
    """Builds the hall of the small network and shows it, as Import does after its file dialog."""
    with view3d().context():
        bpy.ops.innerwalk.import_recording("EXEC_DEFAULT", True, directory=str(OBJECT))  # with a step of undo


# The 3D view


class View(NamedTuple):
    """A 3D view; valid until the screen changes, so call `view3d` again each time."""

    window: bpy.types.Window
    area: bpy.types.Area
    region: bpy.types.Region
    space: bpy.types.SpaceView3D

    def context(self) -> AbstractContextManager:
        """Operators in this view: `with view3d().context(): bpy.ops.…`"""
        return bpy.context.temp_override(window=self.window, area=self.area, region=self.region)


def view3d() -> View:
    """The first 3D view of the window."""
    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    return View(window, area, region("WINDOW", area), area.spaces.active)


TABS = 24
"""Pixels at the right of the sidebar that its tabs take."""


def region(kind: str, area: bpy.types.Area | None = None) -> bpy.types.Region:
    """A region of the 3D view: WINDOW, UI (the sidebar), HEADER, TOOLS …"""
    return next(region for region in (area or view3d().area).regions if region.type == kind)


def look(shading: str = "RENDERED", camera: bool = True) -> None:
    """Shades the 3D view and looks through the scene's camera."""
    space = view3d().space
    space.shading.type = shading
    if camera:
        space.region_3d.view_perspective = "CAMERA"
        with view3d().context():
            bpy.ops.view3d.view_center_camera()


def settled(seconds: float = 180) -> Steps:
    """Waits until the 3D view stops redrawing: shaders are compiled, all samples are rendered. Raises TimeoutError."""
    draws: list[None] = []
    handler = bpy.types.SpaceView3D.draw_handler_add(lambda: draws.append(None), (), "WINDOW", "POST_PIXEL")
    view3d().region.tag_redraw()
    end, quiet, before = time.monotonic() + seconds, 0, 0
    while quiet < 4:
        if time.monotonic() > end:
            raise TimeoutError(f"the 3D view still redraws itself after {seconds} s")
        yield 0.25
        quiet = quiet + 1 if draws and len(draws) == before else 0
        before = len(draws)
    bpy.types.SpaceView3D.draw_handler_remove(handler, "WINDOW")


def maximise() -> Steps:
    """Maximises the 3D view, with its bars; a second call undoes that."""
    with view3d().context():
        bpy.ops.screen.screen_full_area()
    yield 0.5


def sidebar(tab: str) -> Steps:
    """Opens the sidebar of the 3D view (N) on a tab. Raises TypeError where there is no such tab."""
    view3d().space.show_region_ui = True
    # Tabs exist after they were drawn once.
    yield from until("the sidebar's tabs", lambda: region("UI").active_panel_category != "UNSUPPORTED")
    region("UI").active_panel_category = tab
    region("UI").tag_redraw()
    yield 0.3


def button(operator: str, holds: str = "", right: float = 0.55) -> Iterator[float | None]:
    """Finds the sidebar's button of an operator, such as "innerwalk.start_bridge", whose command contains a text, by
    pointing everywhere, as Blender has no API for it. right: horizontal position to search at, 0..1.
    `place = yield from button(…)`. Raises ValueError.
    """
    part = region("UI")
    for y in range(part.y + part.height - 40, part.y, -9):
        place = (part.x + right * (part.width - TABS), y)
        yield from event("MOUSEMOVE", "NOTHING", place)
        command = _command(part)
        if command.startswith(f"bpy.ops.{operator}(") and holds in command:
            return place
    raise ValueError(f"no button {operator} {holds} in the sidebar")


def _command(part: bpy.types.Region) -> str:
    """Command of the button under the pointer, by Blender's Copy Python Command."""
    manager = bpy.context.window_manager
    manager.clipboard = ""
    with bpy.context.temp_override(window=manager.windows[0], area=view3d().area, region=part), suppress(RuntimeError):
        bpy.ops.ui.copy_python_command_button()
    return manager.clipboard


def pixel(world: Vector | tuple[float, float, float]) -> Place:
    """Pixel of the window that shows a point of the world. Raises ValueError if it isn't in the 3D view."""
    _, _, part, space = view3d()
    found = location_3d_to_region_2d(part, space.region_3d, Vector(world))
    if found is None or not (0 <= found.x < part.width and 0 <= found.y < part.height):
        raise ValueError(f"{tuple(world)} is not in the 3D view")
    return part.x + found.x, part.y + found.y


def middle(part: bpy.types.Region) -> Place:
    """The middle of a region."""
    return part.x + part.width / 2, part.y + part.height / 2


# Mouse and keys. Blender treats these events like real ones; each step gives it time to handle them.


def event(kind: str, value: str, place: Place, **more: Any) -> Steps:
    """Sends one event by `Window.event_simulate`; more: unicode, shift, ctrl, alt."""
    x, y = map(round, place)
    bpy.context.window_manager.windows[0].event_simulate(type=kind, value=value, x=x, y=y, **more)
    yield 0.05


def move(place: Place) -> Steps:
    """Moves the pointer, in two events, as Blender ignores the one that enters a region."""
    yield from event("MOUSEMOVE", "NOTHING", (place[0] - 1, place[1]))
    yield from event("MOUSEMOVE", "NOTHING", place)


def press(key: str, place: Place, **more: Any) -> Steps:
    """Presses and releases a key or button (LEFTMOUSE, A, F3, RET …) with the pointer at a place."""
    yield from event(key, "PRESS", place, **more)
    yield from event(key, "RELEASE", place, **{name: held for name, held in more.items() if name != "unicode"})


def click(place: Place, button: str = "LEFTMOUSE", **more: Any) -> Steps:
    """Moves there and clicks."""
    yield from move(place)
    yield from press(button, place, **more)


def drag(start: Place, end: Place, button: str = "LEFTMOUSE", steps: int = 8) -> Steps:
    """Drags from one place to another."""
    yield from move(start)
    yield from event(button, "PRESS", start)
    for share in np.linspace(0, 1, steps + 1)[1:]:
        yield from event("MOUSEMOVE", "NOTHING", tuple(np.add(start, share * np.subtract(end, start))))
    yield from event(button, "RELEASE", end)


def write(text: str, place: Place) -> Steps:
    """Types text into the active field: lower-case letters, digits, spaces, dots."""
    names = {" ": "SPACE", ".": "PERIOD"} | dict(
        zip("0123456789", "ZERO ONE TWO THREE FOUR FIVE SIX SEVEN EIGHT NINE".split(), strict=True)
    )
    for letter in text:
        yield from press(names.get(letter, letter.upper()), place, unicode=letter)


def search(label: str) -> Steps:
    """Chooses a menu item by its label with F3, which finds operators in menus only."""
    place = middle(view3d().region)
    yield from move(place)
    yield from press("F3", place)
    yield 0.3
    yield from write(label, place)
    yield 0.3
    yield from press("RET", place)


def drop(path: Path, place: Place) -> Steps:
    """Drops a file on the 3D view, as Blender does after the desktop's part. If several handlers take such a file
    (Blender's own takes pictures too), a menu opens: press the underlined letter.
    """
    yield from move(place)
    with view3d().context():
        bpy.ops.wm.drop_import_file("INVOKE_DEFAULT", directory=str(path.parent), files=[{"name": path.name}])
    yield 0.3


# Pictures


def picture(name: str) -> np.ndarray:
    """Writes the window as OUT/NAME.png; (height, width, 3) uint8 sRGB, top row first."""
    path = OUT / f"{name}.png"
    subprocess.run(["import", "-window", "root", path], check=True)
    raw = subprocess.run(["convert", path, "-depth", "8", "ppm:-"], check=True, capture_output=True).stdout
    _, size, _, pixels = raw.split(b"\n", 3)  # a window may be larger than the screen that shows it
    width, height = map(int, size.split())
    return np.frombuffer(pixels, np.uint8).reshape(height, width, 3)


def colour(taken: np.ndarray, place: Place) -> tuple[int, int, int]:
    """Colour of a picture of the window at a place, sRGB 0..255."""
    x, y = map(int, place)
    return tuple(map(int, taken[len(taken) - 1 - y, x]))
