"""Stores a recording in its hall's scene, so that the hall can be rebuilt with neither torch nor the recording.

JSON texts hold the network and the recording without maps; maps and pictures are read back from the images that show
them. Everything is found by custom properties, never by name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ....torch_bridge.recording import Maps, Network, Recording, describe, describe_network, restore, restore_network
from ....torch_bridge.recording.errors import SceneError
from ....torch_bridge.recording.files import parse_json
from ....torch_bridge.recording.schema import JsonFields, text_entry
from ...imaging import colour_maps
from ...properties import (
    COLLAPSED_PANELS,
    HALL_NETWORK_GRAPH,
    HALL_RECORDING,
    HALL_VERSION,
    NETWORK_DIGEST,
    PANEL_CHOSEN_CHANNELS,
    PANEL_LAYER_ID,
    PANEL_PLANNED_PLACE,
    PANEL_SHOWN_LAYER,
    SHOWN_METHOD,
)
from ..materials import colour_settings, nodes
from ..panels import channel_count, held_channels, panel_metadata, panels
from ..panels.values import is_colour, texels_of
from ..state.parts import hall_collection
from .property_checks import check_properties
from .stored_pictures import read_pictures

MAX_GAIN = 1_000_000
"""Largest gain; beyond it every value but zero has the colour of an end of the colour map."""
SINGULAR = 1e-9
"""Determinant of a planned place up to which it is none."""
LINE_LENGTH = 120
"""Characters of a line of a stored text: Blender's time to write a line grows with the square of its length."""
BLACK = np.zeros((1, 1, 3), np.uint8)
"""Stands for a picture that isn't read."""
VERSION = 3
"""Version of what is stored; raise it if halls of earlier versions must be rebuilt."""


@dataclass(frozen=True)
class Appearance:
    """How a hall looks, apart from its network and maps."""

    theme: str = "dark"
    colour_map: str = ""
    """Name of the colour map; "" becomes the theme's own."""
    normalisation: str = "channel"
    gain: float = 1.0
    method: str = "activations"
    """The method whose maps the panels show."""
    title: str | None = None
    """Title of the hall; None for the network's name."""
    collapse: tuple[str, ...] = ()
    """Glob patterns of blocks that are shown as one representative panel."""

    def __post_init__(self) -> None:
        if not (isinstance(self.gain, (int, float)) and 0 < self.gain <= MAX_GAIN):
            raise SceneError(f"gain {self.gain!r}: a number above 0, up to {MAX_GAIN:,} is needed")
        if not self.colour_map:
            object.__setattr__(self, "colour_map", "paper" if self.theme == "paper" else "signed")


def write_recording(scene: bpy.types.Scene, recording: Recording, appearance: Appearance) -> None:
    """Stores a recording without maps and the hall's appearance; an unchanged network isn't written again."""
    network = recording.network
    if scene.get(HALL_NETWORK_GRAPH) is None or scene[HALL_NETWORK_GRAPH].get(NETWORK_DIGEST) != network.digest:
        _write_json(scene, HALL_NETWORK_GRAPH, f"{scene.name} network.json", describe_network(network))
        scene[HALL_NETWORK_GRAPH][NETWORK_DIGEST] = network.digest
    document = describe(recording, network=False) | {"dress": asdict(appearance)}
    _write_json(scene, HALL_RECORDING, f"{scene.name} recording.json", document)
    scene[HALL_VERSION] = VERSION


def write_appearance(scene: bpy.types.Scene, appearance: Appearance) -> None:
    """Stores how a hall looks from now on; its recording stays as it is stored. Raises SceneError."""
    _write_json(scene, HALL_RECORDING, "", {**stored_document(scene), "dress": asdict(appearance)})


def is_hall(scene: bpy.types.Scene) -> bool:
    """Returns whether a scene contains a hall, that is, a recording was written to it."""
    return HALL_VERSION in scene


def halls() -> list[bpy.types.Scene]:
    """Returns the scenes of this file that contain a hall."""
    return [scene for scene in bpy.data.scenes if is_hall(scene)]


def shown_halls(scene: bpy.types.Scene, key: str) -> list[bpy.types.Scene]:
    """Returns the halls with a property that a scene shows: its own, and those whose collections are linked to it."""
    shown = {*scene.collection.children_recursive}
    shown |= {holder.instance_collection for holder in scene.objects if holder.instance_collection is not None}
    found = [hall for hall in (scene, *halls()) if key in hall and is_hall(hall)]
    by_collection = {hall_collection(hall): hall for hall in reversed(found)}
    return [hall for collection, hall in by_collection.items() if collection in shown]


def stored_document(scene: bpy.types.Scene) -> dict[str, Any]:
    """Returns the stored JSON of a hall's recording, without the network; don't change it. Raises SceneError."""
    return _parse_json(_text(scene, HALL_RECORDING), scene.name)


def read_description(scene: bpy.types.Scene) -> Recording:
    """Returns a recording without maps and pictures, shared by all callers. Raises SceneError or RecordingError."""
    return _parse_description(_text(scene, HALL_RECORDING), _network_text(scene), scene.name)


def read_without_maps(scene: bpy.types.Scene) -> Recording:
    """Returns a hall's recording with its pictures, but without maps. Raises SceneError or RecordingError."""
    document = stored_document(scene)
    return _restore(document, {"input": BLACK} | read_pictures(scene, document), _network_text(scene), scene.name)


def read_recording(scene: bpy.types.Scene) -> Recording:
    """Returns a hall's recording with the maps of its panels, those of collapsed blocks included.

    Raises SceneError or RecordingError.
    """
    check_properties(scene)
    recording = read_without_maps(scene)
    method, layers = _dress(scene).text("method") or "activations", recording.network.by_id
    all_panels = collapsed_panels(scene) | panels(scene)
    all_maps = (read_maps(panel, layers[id].shows or id, method) for id, panel in all_panels.items() if id in layers)
    recording.add(maps for maps in all_maps if maps is not None)
    return recording


def shown_method(scene: bpy.types.Scene) -> str:
    """Returns the method whose maps a hall's panels show."""
    return str(scene.get(SHOWN_METHOD) or read_appearance(scene).method)


def read_appearance(scene: bpy.types.Scene) -> Appearance:
    """Returns a hall's appearance: as stored, with the scene's current colours. Raises SceneError."""
    stored, colours = _dress(scene), colour_settings.read_scene_colours(scene)
    return Appearance(
        theme=stored.text("theme") or "dark",
        colour_map=colours["colour_map"],
        normalisation=colours["normalisation"],
        gain=colours["gain"],
        method=stored.text("method") or "activations",
        title=stored.text("title") if stored.value.get("title") is not None else None,
        collapse=stored.items("collapse", text_entry),
    )


def _dress(scene: bpy.types.Scene) -> JsonFields:
    """Returns the stored appearance. Raises RecordingError for one that is no object."""
    return JsonFields(stored_document(scene).get("dress", {}), f"scene {scene.name!r}: dress")


def read_maps(panel: bpy.types.Object, layer: str, method: str) -> Maps | None:
    """Returns the maps that a panel shows, with their metadata; texels (cells, H, W, 4) float32.

    Returns None if a person has removed the panel's image, material or modifier.
    """
    texels = texels_of(panel)
    if texels is None:
        return None
    coloured, channels, metadata = is_colour(panel), channel_count(panel), panel_metadata.read_metadata(panel)
    texels[texels > colour_maps.FLAG_FROM] = np.nan
    numbers = panel_metadata.read_numbers(panel).items()
    extras = {"values" if name == "value" else name: array[held_channels(panel)] for name, array in numbers}
    extras |= metadata.extras()
    known = (metadata.frame, metadata.labels, extras, *metadata.place, tuple(panel.get(PANEL_CHOSEN_CHANNELS, ())))
    return Maps(layer, method, texels, channels, coloured, *known, metadata.note, metadata.charts)


def collapsed_panels(scene: bpy.types.Scene) -> dict[str, bpy.types.Object]:
    """Returns the panels of collapsed blocks by layer id; they are kept with their maps outside the scene."""
    collection = scene.get(COLLAPSED_PANELS)
    objects = collection.objects if collection else ()
    return {holder[PANEL_LAYER_ID]: holder for holder in objects if PANEL_LAYER_ID in holder}


def panels_by_layer(scene: bpy.types.Scene) -> dict[str, bpy.types.Object]:
    """Returns all panels, also those of collapsed blocks, by the ids of the layers whose maps they show."""
    found = (collapsed_panels(scene) | panels(scene)).values()
    return {str(panel.get(PANEL_SHOWN_LAYER, panel[PANEL_LAYER_ID])): panel for panel in found}


def set_planned_place(holder: bpy.types.Object, matrix: Matrix) -> None:
    """Moves an object to its planned place and stores that place with it."""
    holder.matrix_world = matrix
    holder[PANEL_PLANNED_PLACE] = [value for row in matrix for value in row]


def manual_moves(scene: bpy.types.Scene) -> dict[str, Matrix]:
    """Returns the transforms from panels' planned places to their present ones, in local axes, by layer id."""
    moves = {}
    for holder in (*collapsed_panels(scene).values(), *scene.objects):
        if PANEL_LAYER_ID in holder and PANEL_PLANNED_PLACE in holder and holder.parent is None:
            planned = np.reshape(holder[PANEL_PLANNED_PLACE], (4, 4))
            if not abs(np.linalg.det(planned)) > SINGULAR:  # a damaged file's, or NaN
                continue
            move = np.linalg.solve(planned, np.array(holder.matrix_basis))
            if np.abs(move - np.eye(4)).max() > 1e-4:
                moves[holder[PANEL_LAYER_ID]] = Matrix(move.tolist())
    return moves


def is_outdated(scene: bpy.types.Scene) -> bool:
    """Returns whether another version has built this hall or its node groups; `rebuild_hall` updates it."""
    return is_hall(scene) and (scene[HALL_VERSION] != VERSION or bool(nodes.outdated_groups()))


def _write_json(scene: bpy.types.Scene, key: str, name: str, document: dict[str, Any]) -> None:
    text = scene.get(key) or bpy.data.texts.new(name)
    content = json.dumps(document, ensure_ascii=False)
    text.clear()
    text.write("\n".join(content[start : start + LINE_LENGTH] for start in range(0, len(content), LINE_LENGTH)))
    scene[key] = text


def _text(scene: bpy.types.Scene, key: str) -> str:
    if not isinstance(scene.get(key), bpy.types.Text):
        raise SceneError(f"scene {scene.name!r} is not a hall; build one from a recording")
    return scene[key].as_string().replace("\n", "")


@lru_cache(maxsize=8)
def _parse_json(text: str, scene_name: str) -> dict[str, Any]:
    try:
        document = parse_json(text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise SceneError(f"a text of scene {scene_name!r} is damaged; build the hall again")
    return document


@lru_cache(maxsize=8)
def _parse_network(text: str, scene_name: str) -> Network:
    return restore_network(_parse_json(text, scene_name), f"scene {scene_name!r}")


@lru_cache(maxsize=8)  # the sidebar and a walk ask for it each time they are drawn
def _parse_description(text: str, network_text: str, scene_name: str) -> Recording:
    return _restore(_parse_json(text, scene_name), {"input": BLACK}, network_text, scene_name)


def _network_text(scene: bpy.types.Scene) -> str:
    """Returns the JSON of a hall's network; "" for a hall of version 0.1, which has it in its recording."""
    return _text(scene, HALL_NETWORK_GRAPH) if HALL_NETWORK_GRAPH in scene else ""


def _restore(
    document: dict[str, Any], pictures: Mapping[str, np.ndarray], network_text: str, scene_name: str
) -> Recording:
    """Restores a recording. pictures: by name, (H, W, 3) uint8 sRGB, top row first."""
    network = _parse_network(network_text, scene_name) if network_text else None
    return restore(document, pictures, f"scene {scene_name!r}", network)
