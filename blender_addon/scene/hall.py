"""A hall in Blender: a laid-out recording as a scene of its own, panels, dressing and sky."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Matrix

from ...torch_bridge.recording import ACTIVATIONS, Layer, Maps, Recording
from ..layout import HALF, Hall, Slot
from ..presets import NORMAL
from ..view import View
from . import answers, boards, edges, ground, labels, legend, signs, sky
from .digest import Showing, showing
from .look import Normalisation, set_look
from .paint import ROLE, FLAT, palette, wall
from .panels import ID, PANEL, add_panel, refresh

HALL = "hall"
INPUT = 2.2
"""Longer side of the input, metres."""
CLEAR, REACH = 6.0, 45.0
"""Metres without air to a walker, and metres in which a colour then falls to 1/e."""
FRESH = 1.0

Progress = Callable[[str, float], None]


@dataclass(frozen=True)
class Dress:
    """How a hall looks, whatever stands in it."""

    theme: str = "dark"
    ramp: str | None = None
    """A colour map; None: the theme's own."""
    normalisation: Normalisation = "channel"
    gain: float = 1.0
    method: str = ACTIVATIONS
    title: str | None = None
    """Instead of the network's name."""

    @property
    def map(self) -> str:
        return self.ramp or ("paper" if self.theme == "paper" else "signed")


class Stage:
    """What building needs everywhere: the recording, the plan, the camera if there is one, colours and a collection."""

    def __init__(self, scene: bpy.types.Scene, recording: Recording, hall: Hall, dress: Dress, view: View | None) -> None:
        self.scene, self.recording, self.hall, self.dress, self.view = scene, recording, hall, dress, view
        self.layers, _ = recording.network.folded()
        self.palette = palette(dress.theme)
        self.collection = collection_of(scene)

    @property
    def figure(self) -> bool:
        return self.hall.louvre is not None

    @property
    def big(self) -> float:
        """How much larger input and answer are than in a walk, so that an overview shows them."""
        return max(1.0, self.view.span / NORMAL) if self.view is not None and self.view.span else 1.0


def collection_of(scene: bpy.types.Scene) -> bpy.types.Collection:
    """The scene's collection of everything in its hall; made when it isn't there."""
    found = next((one for one in scene.collection.children if one.get(ROLE) == HALL), None)
    if found is None:
        found = bpy.data.collections.new("Hall")
        found[ROLE] = HALL
        scene.collection.children.link(found)
    return found


def add_hall(
    scene: bpy.types.Scene, recording: Recording, hall: Hall, dress: Dress, view: View | None = None,
    progress: Progress | None = None,
) -> None:  # fmt: skip
    """Panels and dressing of a hall in an empty scene of ours. `view`: the camera of the one picture it is for."""
    stage = Stage(scene, recording, hall, dress, view)
    set_scene(stage)
    add_panels(stage, progress)
    add_dressing(stage)


def set_scene(stage: Stage) -> None:
    """Look, air and sky; a figure that is seen from outside has neither air nor horizon."""
    fog = () if stage.figure else (CLEAR, REACH)
    dress = stage.dress
    set_look(stage.scene, ramp=dress.map, normalisation=dress.normalisation, gain=dress.gain, theme=dress.theme, fog=fog)
    stage.scene.view_settings.view_transform = "Standard"
    stage.scene.render.dither_intensity = 0.0
    sky.set_sky(stage.scene, stage.palette, plain="floor" if stage.figure else None)


def add_panels(stage: Stage, progress: Progress | None = None) -> None:
    """Every panel with its frame, hung on its post."""
    named = labels.labels(stage.hall, stage.layers, stage.view)
    for done, slot in enumerate(stage.hall.panels):
        layer = stage.layers[slot.index]
        maps = stage.recording.all_maps.get((layer.shows or layer.id, stage.dress.method))
        add_one(stage, slot, layer, maps, named.get(slot.index))
        if progress:
            progress("panels", (done + 1) / len(stage.hall.panels))
    refresh(stage.scene)


def add_one(stage: Stage, slot: Slot, layer: Layer, maps: Maps | None, label: labels.Label | None) -> bpy.types.Object:
    pixel = stage.view.span / stage.view.width if stage.view is not None and stage.view.span else None
    shown: Showing | None = None
    if maps is None:
        panel = empty_panel(stage.collection, layer)
    else:
        shown = showing(maps, slot, pixel)
        panel = add_panel(stage.collection, layer.id, layer.id, shown.maps, shown.grid)
    size = shown.size if shown else (slot.width, slot.height)
    panel.matrix_world = place(stage.hall, slot)
    note = "" if maps is not None else "not recorded"
    labels.add_frame(panel, slot, size, label, note, stage.palette, strip=stage.figure)
    return panel


def empty_panel(collection: bpy.types.Collection, layer: Layer) -> bpy.types.Object:
    """What stands for a layer whose maps were not recorded."""
    panel = bpy.data.objects.new(layer.id, None)
    panel[ID], panel[ROLE] = layer.id, "empty"
    panel.empty_display_size = 0.1
    collection.objects.link(panel)
    return panel


def place(hall: Hall, slot: Slot) -> Matrix:
    """Where a panel hangs: its lower left corner, x along the door, z to the viewer. Tiles stand 2 cm before the rim."""
    yaw = hall.yaw(slot)
    at = wall(np.append(slot.corners(yaw)[0], slot.bottom), yaw)
    return Matrix(at.moved(0.0, 0.0, 0.02).matrix().tolist())


def add_dressing(stage: Stage) -> None:
    """Everything but the panels."""
    hall, tints, into = stage.hall, stage.palette, stage.collection
    ground.add_ground(hall, tints, into)
    edges.add_edges(hall, tints, into, edges.pen(hall, stage.view))
    if stage.figure:
        signs.add_stage_words(hall, stage.layers, stage.view, tints, into)
    else:
        signs.add_gates(hall, stage.layers, tints, into)
        signs.add_numbers(hall, tints, into)
    add_boards(stage)


def add_boards(stage: Stage) -> None:
    """Input, title or head, and the answer that ends the hall."""
    hall, scale, kinds = stage.hall, legend.scale(stage.scene), {run.kind for run in stage.hall.runs}
    yaw = hall.louvre if stage.figure else hall.swing
    post = (hall.wings[0].x - HALF, 2.6, 0.6)
    boards.add_input(stage.recording, wall(post, yaw), INPUT * stage.big, stage.palette, stage.collection)
    answers.add_answer(stage.recording, answer_place(stage), stage.big, stage.palette, stage.collection)
    told = (stage.recording.network, scale, kinds)
    if stage.figure:
        signs.add_head(*told, stage.view, stage.palette, stage.collection, stage.dress.title)
    else:
        at = wall((hall.wings[0].x + HALF, 2.6, 0.6), -hall.swing)
        boards.add_title(*told, at, stage.palette, stage.collection, stage.dress.title)


def answer_place(stage: Stage):
    """Across the end of the aisle for walkers; beyond it, as a louvre, in figures."""
    last = stage.hall.wings[-1]
    if stage.figure:
        return wall((last.x, last.end + 4.0, 0.7), stage.hall.louvre).moved(0.2 * stage.big, 0.0)
    return wall((last.x - answers.WIDTH / 2, last.end + 1.5, 0.7), 0.0)
