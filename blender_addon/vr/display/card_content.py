"""Content of the card: the selected channel or layer, the prediction, the running job, messages and errors."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from typing import NamedTuple

import bpy
import numpy as np

from ....torch_bridge.recording import Recording, near_square
from ....torch_bridge.recording.errors import InnerwalkError
from ...actions.ablating import ablation_facts, describe_brush
from ...actions.comparing import beside_facts, halls_beside
from ...actions.inspecting import inspect_channel_in_steps, inspect_layer_in_steps
from ...actions.naming import marked_misfits, shown_pictures
from ...live.session import current
from ...live.stored_choices import held_brush, painted_strokes
from ...plans.number_text import format_count
from ...properties import (
    ABLATED_CHANNELS,
    BRUSH,
    COLOUR_GAIN,
    COLOUR_MAP,
    METHOD_TAG,
    MISFIT_MARKS,
    PANEL_FILL_COUNT,
    PANEL_NAMES,
    PEAK_WEIGHTS,
    STROKES,
)
from ...scene.hall import store
from ...scene.paint.pictures import picture_image, read_pixels
from ...scene.panels import find_panel
from ...scene.state.parts import find_part
from ...scene.state.selection import selected
from ...time_slicing import run_for
from ..drawing.canvas import Canvas
from ..walk import Walk
from .card import Fact, draw_card_in_steps

PROGRESS_STEPS = 20
"""Number of steps in which a job's bar grows, as each one paints the card again."""
CHECK_SECONDS = 0.05
"""Seconds between two checks for new content."""
SLICE_SECONDS = 0.0004
"""Seconds for the card in each frame; one step may take longer."""

DIMMED = 0.2
"""Factor for pictures that don't fit a name."""
BRUSH_HELP: list[Fact] = [("Trigger", "paints on a tile or the picture"), ("Menu", "undo, put away")]
"""What a hand can do with a brush."""


class CardContent(NamedTuple):
    """Title, facts and picture of a card."""

    title: str
    facts: list[Fact]
    picture: np.ndarray | None = None
    """(H, W, 4) float32 sRGB, top row first."""
    ends: tuple[str, str] = ("", "")
    """Labels of both ends of the picture's scale."""


Status = tuple[tuple[str, int] | None, str, str]
"""(job and steps of its bar, warning, message)"""


def content_key(scene: bpy.types.Scene) -> tuple[object, ...]:
    """Returns all that the content depends on; while it is equal, so is the content."""
    selection = selected(scene)
    panel = find_panel(scene, selection.layer) if selection.layer else None
    colours = tuple(tuple(np.ravel(scene.get(key, 0.0))) for key in (COLOUR_MAP, COLOUR_GAIN, PEAK_WEIGHTS))
    fill_count = panel.get(PANEL_FILL_COUNT) if panel else None
    shown = [current().hall(hall.session_uid).shown for hall in (scene, *halls_beside(scene))]
    chosen = [scene.get(key) for key in (ABLATED_CHANNELS, BRUSH, STROKES, MISFIT_MARKS)]
    names = panel.get(PANEL_NAMES) if panel else None
    return selection, fill_count, colours, *chosen, names, *shown


def read_content(walk: Walk) -> Generator[None, None, CardContent]:
    """Reads the card's content in steps; only the first one accesses Blender's data. Raises InnerwalkError."""
    scene = walk.scene
    if scene is None:
        return CardContent("", [])
    (layer_id, channel), recording = selected(scene), store.read_description(scene)
    top = zip(("Answer", "2nd", "3rd"), recording.prediction.top, strict=False)
    answer = [(rank, f"{name} {share:.1%}") for rank, (_, name, share) in top]
    answer = [*(ablation_facts(scene) or answer), *beside_facts(scene)]
    if (brush := held_brush(scene)) is not None:
        strokes = ("Painted", format_count(len(painted_strokes(scene)), "stroke"))
        picture = generated_picture(scene, recording)
        answer = [] if picture is not None else answer
        return CardContent(describe_brush(brush), [strokes, *BRUSH_HELP, *answer], picture)
    if not layer_id:
        return CardContent(recording.network.name, [("Input", recording.input_name), *answer])
    if channel < 0:
        inspection = yield from inspect_layer_in_steps(scene, layer_id)
        return CardContent(layer_id, [*inspection.facts, *answer])
    shown = shown_pictures(scene)
    marks = marked_misfits(scene, layer_id, channel) if shown else ()
    inspection = yield from inspect_channel_in_steps(scene, layer_id, channel)
    channels, height, width = recording.network.layer(layer_id).map_shape
    facts = [("Shape", f"{channels} × {height} × {width}"), *inspection.facts, *answer]
    name, picture = next(iter(inspection.pictures.items()), ("", None))
    if marks and picture is not None:
        facts.insert(0, ("Don't fit", ", ".join(map(str, marks))))
        picture = dim_pictures(picture, shown, marks)
    return CardContent(f"{layer_id} · {channel}", facts, picture, inspection.ends.get(name, ("", "")))


def generated_picture(scene: bpy.types.Scene, recording: Recording) -> np.ndarray | None:
    """Returns the picture that a generator has made, (H, W, 4) float32 sRGB, top row first; None for other answers."""
    holder = find_part(scene, "answer")
    image = picture_image(holder) if holder is not None and recording.prediction.kind == "picture" else None
    if image is None:
        return None
    pixels = read_pixels(image)
    rgba = np.ones((*pixels.shape[:2], 4), np.float32)
    rgba[..., :3] = pixels / np.float32(255)
    return rgba


def dim_pictures(sheet: np.ndarray, count: int, numbers: Sequence[int]) -> np.ndarray:
    """Returns a sheet of `count` pictures, (H, W, 4) float32 sRGB, in a near-square grid, some of them darkened.

    numbers: those to darken, from 1, row by row.
    """
    (rows, columns), dimmed = near_square(count), sheet.copy()
    height, width = sheet.shape[0] // rows, sheet.shape[1] // columns
    for number in numbers:
        top, left = (number - 1) // columns * height, (number - 1) % columns * width
        dimmed[top : top + height, left : left + width, :3] *= DIMMED
    return dimmed


def warning(walk: Walk) -> str:
    """Returns the warning to show: the bridge has ended, or an action failed; "" for none."""
    session = current()
    if session.state == "ended" and session.link is not None:
        return session.link.status  # says itself that the bridge has ended
    return walk.message if walk.failed and walk.message else session.error


def progress(scene: bpy.types.Scene) -> tuple[str, float] | None:
    """Returns the method of the hall's running job and its share 0..1, None without a job."""
    session, tag = current(), str(scene.get(METHOD_TAG, ""))
    if not session.is_running(tag):
        return None
    job = session.job(tag)
    return str(job["what"]["method"]), float(job["share"])


class Card:
    """The card as a canvas; it is drawn again, a slice in each frame, when its content changes."""

    def __init__(self) -> None:
        self.canvas: Canvas | None = None
        self.draw_count = 0
        """How often it was drawn."""
        self._key: tuple[object, ...] | None = None
        self.status: Status | None = None
        """Job, warning and message that it shows."""
        self.content = CardContent("", [])
        self._work: Iterator[None] | None = None
        self._next_check = 0.0

    @property
    def busy(self) -> bool:
        """Whether it is being drawn."""
        return self._work is not None

    def update(self, walk: Walk, scene: bpy.types.Scene) -> None:
        """Runs a slice of the drawing; if there is none, checks whether the content changed."""
        if self._work is None and time.monotonic() >= self._next_check:
            self._next_check = time.monotonic() + CHECK_SECONDS
            self._work = self._start(walk, scene)
        elif self._work is not None:
            try:
                run_for(self._work, SLICE_SECONDS)
            except StopIteration:
                self._work, self._next_check = None, 0.0

    def _start(self, walk: Walk, scene: bpy.types.Scene) -> Iterator[None] | None:
        """Returns the work for new content or a new status, None if nothing changed."""
        if (key := content_key(scene)) != self._key:
            self._key, self.status = key, None
            return self._read(read_content(walk))
        running = progress(scene)
        job = (running[0], round(running[1] * PROGRESS_STEPS)) if running else None
        status = job, warning(walk), "" if walk.failed else walk.message
        if status == self.status:
            return None
        self.status = status
        return self._draw(running, *status[1:])

    def _read(self, steps: Generator[None, None, CardContent]) -> Iterator[None]:
        try:
            self.content = yield from steps
        except InnerwalkError as error:
            self.content = CardContent(str(error), [])

    def _draw(self, running: tuple[str, float] | None, warning_text: str, message: str) -> Iterator[None]:
        title, facts, picture, ends = self.content
        facts = [*facts, ("", message)] if message else facts
        self.canvas = yield from draw_card_in_steps(title, facts, picture, ends, running, warning_text)
        self.draw_count += 1
