"""What a hall keeps of its recording, so that its file can be dressed anew with neither torch nor the recording there.

A text holds the recording without its maps as JSON; pictures and maps are in the images that show them. Everything is
found by custom properties, never by name.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ...torch_bridge.errors import SceneError
from ...torch_bridge.recording import Maps, Recording, describe, restore
from .. import atlas, colour
from . import look, nodes
from .paint import ROLE
from .panels import ID, image_of, panels
from .pictures import PICTURE
from .reading import is_colour, sheet_of

MOST_GAIN = 1_000_000
"""Beyond it every value but zero is at an end of the colour map."""
VERSION = 1
"""Of what a hall keeps; raise it when an older file needs rebuilding."""
HALL, TEXT, PLACE = "innerwalk_hall", "innerwalk_recording", "innerwalk_place"
AWAY = "innerwalk_away"
"""A property of the scene: the collection of the panels that collapsed blocks leave out."""


@dataclass(frozen=True)
class Dress:
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
        if not 0 < self.gain <= MOST_GAIN:
            raise SceneError(f"gain {self.gain}: a number above 0, up to {MOST_GAIN:,} is needed")

    @property
    def map(self) -> str:
        """The colour map that is used."""
        return self.ramp or ("paper" if self.theme == "paper" else "signed")


def keep(scene: bpy.types.Scene, recording: Recording, dress: Dress) -> None:
    """Write the recording, without maps, and the dress into the scene."""
    text = scene.get(TEXT) or bpy.data.texts.new(f"{scene.name} recording.json")
    text.clear()
    text.write(json.dumps(describe(recording) | {"dress": asdict(dress)}, ensure_ascii=False, indent=1))
    scene[TEXT], scene[HALL] = text, VERSION


def is_hall(scene: bpy.types.Scene) -> bool:
    """True for a scene that `keep` has written into."""
    return HALL in scene


def halls() -> list[bpy.types.Scene]:
    """The halls of this file."""
    return [scene for scene in bpy.data.scenes if is_hall(scene)]


def document(scene: bpy.types.Scene) -> dict[str, Any]:
    """The JSON that a hall keeps. Raises SceneError."""
    text = scene.get(TEXT)
    if text is None:
        raise SceneError(f"scene {scene.name!r} is no hall of innerwalk; build one from a recording")
    try:
        return json.loads(text.as_string())
    except ValueError:
        raise SceneError(f"text {text.name!r} of scene {scene.name!r} is damaged; build the hall again") from None


def described(scene: bpy.types.Scene) -> Recording:
    """The recording that a hall shows, without maps and pictures. Raises SceneError or RecordingError."""
    return restore(document(scene), np.zeros((1, 1, 3), np.uint8), None, f"scene {scene.name!r}")


def bare(scene: bpy.types.Scene) -> Recording:
    """The recording that a hall shows, without its maps. Raises SceneError or RecordingError."""
    shown = {image[PICTURE]: _pixels(image) for image in pictures_in(scene) if PICTURE in image}
    picture = shown.get("input", np.zeros((1, 1, 3), np.uint8))
    return restore(document(scene), picture, shown.get("answer"), f"scene {scene.name!r}")


def away(scene: bpy.types.Scene) -> dict[str, bpy.types.Object]:
    """By layer: the panels of collapsed blocks. They wait outside the scene, with their maps, to be expanded."""
    held = scene.get(AWAY)
    return {one[ID]: one for one in held.objects if ID in one} if held else {}


def kept(scene: bpy.types.Scene) -> Recording:
    """The recording that a hall shows, with maps read back from its panels, of collapsed blocks too.

    Raises SceneError or RecordingError.
    """
    recording, told = bare(scene), document(scene).get("dress", {})
    method, layers = told.get("method", "activations"), recording.network.by_id
    there = {id: panel for id, panel in (away(scene) | panels(scene)).items() if id in layers}
    every = (maps_of(panel, layers[id].shows or id, method) for id, panel in there.items())
    recording.add(maps for maps in every if maps is not None)
    return recording


def dress_of(scene: bpy.types.Scene) -> Dress:
    """How a hall is dressed now: as it was built, with the colours that the scene has been given since."""
    told = document(scene).get("dress", {})
    colours = look.told(scene)
    return Dress(
        theme=told.get("theme", "dark"),
        ramp=colours["ramp"],
        normalisation=colours["normalisation"],
        gain=colours["gain"],
        method=told.get("method", "activations"),
        title=told.get("title"),
        collapse=tuple(told.get("collapse", ())),
    )


def maps_of(panel: bpy.types.Object, layer: str, method: str) -> Maps | None:
    """The maps that a panel shows, read from its image; texels (cells, H, W, 4) float32.

    None where a person has taken its image, its material or its modifier away.
    """
    on = sheet_of(panel)
    if on is None:
        return None
    coloured, channels = is_colour(panel), len(panel.data.vertices)
    pixels = np.zeros(on.height * on.width * 4, np.float32)
    image_of(panel).pixels.foreach_get(pixels)
    pixels[np.abs(pixels) > colour.FLAG_FROM] = np.nan
    cells = channels if coloured else -(-channels // atlas.PER_CELL)
    texels = atlas.gather(pixels, on, cells)
    return Maps(layer, method, texels, channels, coloured)


def pictures_in(scene: bpy.types.Scene) -> list[bpy.types.Image]:
    """Images in the materials of a scene's pictures."""
    shown = [one for one in scene.objects if one.get(ROLE) in ("input", "answer") and one.type == "MESH"]
    found = [slot.material for one in shown for slot in one.material_slots if slot.material]
    return [node.image for one in found for node in one.node_tree.nodes if getattr(node, "image", None)]


def _pixels(image: bpy.types.Image) -> np.ndarray:
    """(H, W, 3) uint8, top row first."""
    flat = np.zeros(image.size[0] * image.size[1] * 4, np.float32)
    image.pixels.foreach_get(flat)
    return np.rint(flat.reshape(image.size[1], image.size[0], 4)[::-1, :, :3] * 255).astype(np.uint8)


def planned(holder: bpy.types.Object, at: Matrix) -> None:
    """Hang something at its planned place, and remember that place."""
    holder.matrix_world = at
    holder[PLACE] = [value for row in at for value in row]


def moved(scene: bpy.types.Scene) -> dict[str, Matrix]:
    """By layer: how a person moved, turned and scaled a panel from its planned place, in the panel's own axes."""
    found = {}
    for holder in (*away(scene).values(), *scene.objects):
        if ID in holder and PLACE in holder and holder.parent is None:
            by = np.linalg.solve(np.reshape(holder[PLACE], (4, 4)), np.array(holder.matrix_basis))
            if np.abs(by - np.eye(4)).max() > 1e-4:
                found[holder[ID]] = Matrix(by.tolist())
    return found


def outdated(scene: bpy.types.Scene) -> bool:
    """True where an earlier version has built this hall or the node groups it uses; `rebuild` brings it up to date."""
    return is_hall(scene) and (scene[HALL] != VERSION or bool(nodes.outdated()))
