"""What the card says: the channel or layer that is looked at, the answer, the running job, what went wrong."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from typing import NamedTuple

import bpy
import numpy as np

from ....torch_bridge.recording.errors import InnerwalkError
from ...actions.inspecting import channel_in_parts, layer_in_parts
from ...live.session import current
from ...properties import COLOUR_GAIN, COLOUR_MAP, METHOD_TAG, PANEL_FILL_COUNT, PEAK_WEIGHTS
from ...scene.hall import store
from ...scene.panels import find
from ...scene.state.selection import selected
from ...time_slicing import some
from ..drawing.canvas import Sketch
from ..walk import Walk
from .card import card_in_parts

PARTS = 20
"""Of a job, that its bar is drawn again for: painting a card takes time."""
OFTEN = 0.05
"""Seconds between two looks at whether there is something else to tell."""
SLICE = 0.0004
"""Seconds of a frame that making a card takes, or one part of it."""


class Content(NamedTuple):
    """Of a card."""

    title: str
    facts: list[tuple[str, str]]
    picture: np.ndarray | None = None
    ends: tuple[str, str] = ("", "")


def key(scene: bpy.types.Scene) -> tuple[object, ...]:
    """What the content depends on: where it is equal, so is the content."""
    found = selected(scene)
    panel = find(scene, found.layer) if found.layer else None
    colours = tuple(tuple(np.ravel(scene.get(one, 0.0))) for one in (COLOUR_MAP, COLOUR_GAIN, PEAK_WEIGHTS))
    return found, panel.get(PANEL_FILL_COUNT) if panel else None, colours, current().shown.get(scene.session_uid)


def content(walk: Walk) -> Generator[None, None, Content]:
    """The card's content, a part of the work at a time; only the first looks at the hall. Raises InnerwalkError."""
    scene = walk.scene
    if scene is None:
        return Content("", [])
    found, told = selected(scene), store.described(scene)
    top = zip(("Answer", "2nd", "3rd"), told.prediction.top, strict=False)
    answer = [(rank, f"{name} {share:.1%}") for rank, (_, name, share) in top]
    if not found.layer:
        return Content(told.network.name, [("Input", told.input_name), *answer])
    if found.channel < 0:
        seen = yield from layer_in_parts(scene, found.layer)
        return Content(found.layer, [*seen.facts, *answer])
    seen = yield from channel_in_parts(scene, found.layer, found.channel)
    layer = told.network.layer(found.layer)
    channels, height, width = layer.map_shape
    facts = [("Shape", f"{channels} × {height} × {width}"), *seen.facts, *answer]
    name, picture = next(iter(seen.pictures.items()), ("", None))
    return Content(f"{found.layer} · {found.channel}", facts, picture, seen.ends.get(name, ("", "")))


def warning(walk: Walk) -> str:
    """What a walker must know: the bridge is gone, an action failed; "" for nothing."""
    session = current()
    if session.state == "ended" and session.link is not None:
        return f"the bridge is gone: {session.link.told}"
    return walk.said if walk.failed and walk.said else session.error


def progress(scene: bpy.types.Scene) -> tuple[str, float] | None:
    """The hall's job that runs: what it does, its share 0..1."""
    session, tag = current(), str(scene.get(METHOD_TAG, ""))
    if not session.runs(tag):
        return None
    job = session.jobs[tag]
    return str(job["what"]["method"]), float(job["share"])


class Card:
    """The card as it is drawn, made again when what it tells has changed; a part of that work each time."""

    def __init__(self) -> None:
        self.sketch: Sketch | None = None
        self.made = 0
        """How often it was made."""
        self._key: tuple[object, ...] | None = None
        self.told: tuple[object, ...] | None = None
        """What it tells beside its content: job, warning, what was said."""
        self.content = Content("", [])
        self._work: Iterator[None] | None = None
        self._due = 0.0

    @property
    def busy(self) -> bool:
        """Whether it is being made."""
        return self._work is not None

    def look(self, walk: Walk, scene: bpy.types.Scene) -> None:
        """Some of the work, if there is any; else whether there is."""
        if self._work is None and time.monotonic() >= self._due:
            self._due = time.monotonic() + OFTEN
            self._work = self._begun(walk, scene)
        elif self._work is not None:
            try:
                some(self._work, SLICE)
            except StopIteration:
                self._work, self._due = None, 0.0

    def _begun(self, walk: Walk, scene: bpy.types.Scene) -> Iterator[None] | None:
        """What there is to do: something else is looked at, or there is other news of it."""
        if (now := key(scene)) != self._key:
            self._key, self.told = now, None
            return self._read(content(walk))
        running = progress(scene)
        news = (running and (running[0], round(running[1] * PARTS)), warning(walk), "" if walk.failed else walk.said)
        if news == self.told:
            return None
        self.told = news
        return self._laid(running, *news[1:])

    def _read(self, parts: Generator[None, None, Content]) -> Iterator[None]:
        try:
            self.content = yield from parts
        except InnerwalkError as error:
            self.content = Content(str(error), [])

    def _laid(self, running: tuple[str, float] | None, warned: str, said: str) -> Iterator[None]:
        title, facts, picture, ends = self.content
        facts = [*facts, ("", said)] if said else facts
        self.sketch = yield from card_in_parts(title, facts, picture, ends, running, warned)
        self.made += 1
