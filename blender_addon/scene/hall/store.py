"""What a hall keeps of its recording, so that its file can be dressed anew with neither torch nor the recording there.

Texts hold the network, and the recording without its maps, as JSON; pictures and maps are in the images that show them.
Everything is found by custom properties, never by name.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ....torch_bridge.recording import Maps, Network, Recording, describe, describe_network, restore, restore_network
from ....torch_bridge.recording.errors import SceneError
from ...imaging import colour
from ...properties import (
    COLLAPSED_PANELS,
    HALL_NETWORK_GRAPH,
    HALL_RECORDING,
    HALL_VERSION,
    IMAGE_OWNER_ROLE,
    NETWORK_DIGEST,
    OBJECT_ROLE,
    PANEL_LAYER_ID,
    PANEL_PLANNED_PLACE,
)
from ..materials import nodes, scene_colours
from ..paint.pictures import read_pixels
from ..panels import channel_count, panel_metadata, panels
from ..panels.values import is_colour, texels_of

MAX_GAIN = 1_000_000
"""Beyond it every value but zero is at an end of the colour map."""
VERSION = 2
"""Of what a hall keeps; raise it when an older file needs rebuilding."""


@dataclass(frozen=True)
class Appearance:
    """How a hall looks, whatever stands in it."""

    theme: str = "dark"
    ramp: str | None = None
    """A colour map; None: the theme's own."""
    normalisation: str = "channel"
    gain: float = 1.0
    method: str = "activations"
    title: str | None = None
    """Instead of the network's name."""
    collapse: tuple[str, ...] = ()
    """Globs of blocks that stand as one representative panel."""

    def __post_init__(self) -> None:
        if not 0 < self.gain <= MAX_GAIN:
            raise SceneError(f"gain {self.gain}: a number above 0, up to {MAX_GAIN:,} is needed")

    @property
    def colour_map(self) -> str:
        """The colour map that is used."""
        return self.ramp or ("paper" if self.theme == "paper" else "signed")


def write_recording(scene: bpy.types.Scene, recording: Recording, appearance: Appearance) -> None:
    """Write the recording, without maps, and the dress into the scene. A network that is there is not written again."""
    network = recording.network
    if scene.get(HALL_NETWORK_GRAPH) is None or scene[HALL_NETWORK_GRAPH].get(NETWORK_DIGEST) != network.digest:
        _write(scene, HALL_NETWORK_GRAPH, f"{scene.name} network.json", describe_network(network))
        scene[HALL_NETWORK_GRAPH][NETWORK_DIGEST] = network.digest
    told = describe(recording, network=False) | {"dress": asdict(appearance)}
    _write(scene, HALL_RECORDING, f"{scene.name} recording.json", told)
    scene[HALL_VERSION] = VERSION


def _write(scene: bpy.types.Scene, key: str, name: str, told: dict[str, Any]) -> None:
    text = scene.get(key) or bpy.data.texts.new(name)
    text.clear()
    text.write(json.dumps(told, ensure_ascii=False))
    scene[key] = text


def is_hall(scene: bpy.types.Scene) -> bool:
    """True for a scene that `keep` has written into."""
    return HALL_VERSION in scene


def halls() -> list[bpy.types.Scene]:
    """The halls of this file."""
    return [scene for scene in bpy.data.scenes if is_hall(scene)]


def stored_document(scene: bpy.types.Scene) -> dict[str, Any]:
    """The JSON that a hall keeps, without its network. Raises SceneError."""
    return _read(_text(scene, HALL_RECORDING), scene.name)


def _text(scene: bpy.types.Scene, key: str) -> str:
    if scene.get(key) is None:
        raise SceneError(f"scene {scene.name!r} is no hall of innerwalk; build one from a recording")
    return scene[key].as_string()


@lru_cache(maxsize=8)
def _read(text: str, name: str) -> dict[str, Any]:
    """Read once, however often it is asked for: nobody changes what was read."""
    try:
        return json.loads(text)
    except ValueError:
        raise SceneError(f"a text of scene {name!r} is damaged; build the hall again") from None


@lru_cache(maxsize=8)
def _network(text: str, name: str) -> Network:
    return restore_network(_read(text, name), f"scene {name!r}")


def read_description(scene: bpy.types.Scene) -> Recording:
    """The recording that a hall shows, without maps and pictures. Raises SceneError or RecordingError."""
    return _restored(scene, np.zeros((1, 1, 3), np.uint8), None)


def _restored(scene: bpy.types.Scene, picture: np.ndarray, answer: np.ndarray | None) -> Recording:
    network = (
        _network(_text(scene, HALL_NETWORK_GRAPH), scene.name) if HALL_NETWORK_GRAPH in scene else None
    )  # 0.1 wrote it with the rest
    return restore(stored_document(scene), picture, answer, f"scene {scene.name!r}", network)


def read_without_maps(scene: bpy.types.Scene) -> Recording:
    """The recording that a hall shows, without its maps. Raises SceneError or RecordingError."""
    shown = {
        image[IMAGE_OWNER_ROLE]: read_pixels(image) for image in picture_images(scene) if IMAGE_OWNER_ROLE in image
    }
    picture = shown.get("input", np.zeros((1, 1, 3), np.uint8))
    return _restored(scene, picture, shown.get("answer"))


def collapsed_panels(scene: bpy.types.Scene) -> dict[str, bpy.types.Object]:
    """By layer: the panels of collapsed blocks. They wait outside the scene, with their maps, to be expanded."""
    held = scene.get(COLLAPSED_PANELS)
    return {one[PANEL_LAYER_ID]: one for one in held.objects if PANEL_LAYER_ID in one} if held else {}


def read_recording(scene: bpy.types.Scene) -> Recording:
    """The recording that a hall shows, with maps read back from its panels, of collapsed blocks too.

    Raises SceneError or RecordingError.
    """
    recording, told = read_without_maps(scene), stored_document(scene).get("dress", {})
    method, layers = told.get("method", "activations"), recording.network.by_id
    there = {id: panel for id, panel in (collapsed_panels(scene) | panels(scene)).items() if id in layers}
    every = (read_maps(panel, layers[id].shows or id, method) for id, panel in there.items())
    recording.add(maps for maps in every if maps is not None)
    return recording


def read_appearance(scene: bpy.types.Scene) -> Appearance:
    """How a hall is dressed now: as it was built, with the colours that the scene has been given since."""
    told = stored_document(scene).get("dress", {})
    colours = scene_colours.read_scene_colours(scene)
    return Appearance(
        theme=told.get("theme", "dark"),
        ramp=colours["ramp"],
        normalisation=colours["normalisation"],
        gain=colours["gain"],
        method=told.get("method", "activations"),
        title=told.get("title"),
        collapse=tuple(told.get("collapse", ())),
    )


def read_maps(panel: bpy.types.Object, layer: str, method: str) -> Maps | None:
    """The maps that a panel shows, read from its image, with what they carry; texels (cells, H, W, 4) float32.

    None where a person has taken its image, its material or its modifier away.
    """
    texels = texels_of(panel)
    if texels is None:
        return None
    coloured, channels, told = is_colour(panel), channel_count(panel), panel_metadata.read_metadata(panel)
    texels[np.abs(texels) > colour.FLAG_FROM] = np.nan
    numbers = panel_metadata.read_numbers(panel).items()
    extras = {"values" if name == "value" else name: array[:channels] for name, array in numbers}
    return Maps(layer, method, texels, channels, coloured, told.frame, told.labels, extras | told.extras())


def picture_images(scene: bpy.types.Scene) -> list[bpy.types.Image]:
    """Images in the materials of a scene's pictures."""
    roles = ("input", "answer", "overlay")
    shown = [one for one in scene.objects if one.get(OBJECT_ROLE) in roles and one.type == "MESH"]
    found = [slot.material for one in shown for slot in one.material_slots if slot.material]
    return [node.image for one in found for node in one.node_tree.nodes if getattr(node, "image", None)]


def set_planned_place(holder: bpy.types.Object, at: Matrix) -> None:
    """Hang something at its planned place, and remember that place."""
    holder.matrix_world = at
    holder[PANEL_PLANNED_PLACE] = [value for row in at for value in row]


def manual_moves(scene: bpy.types.Scene) -> dict[str, Matrix]:
    """By layer: how a person moved, turned and scaled a panel from its planned place, in the panel's own axes."""
    found = {}
    for holder in (*collapsed_panels(scene).values(), *scene.objects):
        if PANEL_LAYER_ID in holder and PANEL_PLANNED_PLACE in holder and holder.parent is None:
            by = np.linalg.solve(np.reshape(holder[PANEL_PLANNED_PLACE], (4, 4)), np.array(holder.matrix_basis))
            if np.abs(by - np.eye(4)).max() > 1e-4:
                found[holder[PANEL_LAYER_ID]] = Matrix(by.tolist())
    return found


def is_outdated(scene: bpy.types.Scene) -> bool:
    """True where an earlier version has built this hall or the node groups it uses; `rebuild` brings it up to date."""
    return is_hall(scene) and (scene[HALL_VERSION] != VERSION or bool(nodes.outdated_groups()))
