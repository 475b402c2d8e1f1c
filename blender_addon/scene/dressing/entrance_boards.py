"""Standing boards at the entrance: the input with its picture, and the title board with what this network is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import bpy
from mathutils import Matrix

from ....torch_bridge.recording import Network, Recording
from ...properties import INPUT_NAME
from ..paint import glyphs
from ..paint.meshes import FLAT, Kit, Paint, Plane
from ..paint.pictures import add_picture, aspect_size, renew_picture, size_of
from .legend import Scale, add_key, add_scale

SIDE, LEFT, WORD = 2.2, 0.15, 0.125
"""Of the title board: side, left margin, size of its small words; metres."""
INPUT = 0.12
"""Size of the words over the input's frame, as a share of its longer side."""


@dataclass(frozen=True)
class Facts:
    """What a title says."""

    name: str
    counts: str
    note: str


def facts(network: Network, title: str | None, there: int, *, chosen: bool = False) -> Facts:
    """Name, "26 layers, 3,976 channels", how many stand `there` for the rest, and whether weights are random.

    chosen: some panels show only their strongest channels.
    """
    panels = [layer for layer in network.folded()[0] if layer.role == "panel"]
    channels = sum(layer.map_shape[0] for layer in panels)
    some = f", {there} shown" if there < len(panels) else ""
    strong = ", the strongest shown" if chosen else ""
    counts = f"{plural(len(panels), 'layer')}{some}, {plural(channels, 'channel')}{strong}"
    return Facts(title or network.name, counts, "" if network.trained else "random weights")


def plural(count: int, word: str) -> str:
    """ "1 layer", "3,976 channels"."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def add_input(recording: Recording, at: Plane, edge: float, kit: Kit) -> None:
    """The picture in its frame, within a square of `edge` metres whose lower left corner is `at`, beside its post."""
    width, height = aspect_size(recording.picture, edge)
    corner = at.moved(edge - width, (edge - height) / 2)
    _framed(recording, edge, kit).build("Input", "input frame", corner)[INPUT_NAME] = recording.input_name
    add_picture("Input", recording.picture, corner, (width, height), "input", kit)


def renew_input(recording: Recording, frame: bpy.types.Object | None, holder: bpy.types.Object, kit: Kit) -> None:
    """Another picture in the frame that stands, wherever a person has put it, within the same square."""
    old = size_of(holder)
    new = aspect_size(recording.picture, max(old))
    if frame is not None and (new != old or frame.get(INPUT_NAME) != recording.input_name):
        _framed(recording, max(old), kit).repaint(frame)
        frame[INPUT_NAME] = recording.input_name
    by = Matrix.Translation((old[0] - new[0], (old[1] - new[1]) / 2, 0.0))
    for one in filter(None, (frame, holder)) if new != old else ():
        one.matrix_basis = one.matrix_basis @ by
    renew_picture(holder, recording.picture, new)


def _framed(recording: Recording, edge: float, kit: Kit) -> Paint:
    """Frame and words of an input whose longer side is `edge`."""
    width, height = aspect_size(recording.picture, edge)
    paint, size = Paint(kit), INPUT * edge
    paint.frame(FLAT, (width, height), "text", 0.06, 0.03)
    head = paint.words(FLAT, "input", size, y=height + 0.85 * size)
    if recording.input_name:
        room = width - head - 0.6 * size
        fitted = glyphs.fit(recording.input_name, room, size)
        paint.words(FLAT, recording.input_name, fitted, "quiet", x=head + 0.6 * size, y=height + 0.85 * size)
    return paint


def add_title(
    told: Facts, weights: str, scale: Scale, kinds: Iterable[str], at: Plane, kit: Kit
) -> bpy.types.Object:  # fmt: skip
    """The board at the entrance: name, counts, weights, colours, kinds of edges. SIDE by SIDE metres."""
    paint, room = Paint(kit), SIDE - 2 * LEFT
    paint.frame(FLAT, (SIDE, SIDE))
    paint.words(FLAT, told.name, glyphs.fit(told.name, room, 0.30), x=LEFT, y=1.84)
    paint.words(FLAT, told.counts, glyphs.fit(told.counts, room, WORD), "quiet", x=LEFT, y=1.62)
    if told.note:
        paint.words(FLAT, told.note, WORD, "skip", x=LEFT, y=1.43)
    elif weights:
        paint.words(FLAT, weights, glyphs.fit(weights, room, WORD), "quiet", x=LEFT, y=1.43)
    add_scale(paint, FLAT.moved(LEFT, 0.78), room, WORD, scale)
    add_key(paint, FLAT.moved(LEFT, 0.20), room, WORD, kinds)
    return paint.build("Title", "title", at)
