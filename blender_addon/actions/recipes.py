"""What a person arranged is written to a recipe, and restored from one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix

from ...torch_bridge.recording.errors import SceneError, UnknownName
from ..layout.camera_presets import OWN_CAMERA
from ..output.output_files import replaced
from ..properties import PANEL_LAYER_ID, PANEL_PLANNED_PLACE
from ..recipes import FigureEntry, Recipe, path_between, read_recipe, write_recipe
from ..scene.hall import store
from ..scene.hall.relayout import refit_hall
from ..scene.panels import link_drawing, panels

DIGITS = 6
"""Decimal places of where a panel stands: less than a thousandth of a millimetre."""
LOOK = ("theme", "colour_map", "normalisation", "gain", "title", "collapse")


def save_recipe(scene: bpy.types.Scene, filepath: Path | str) -> str:
    """Writes a recipe of figures of this hall, in the saved .blend file, with its colours, blocks and moved panels.

    Returns a line that says where. Raises SceneError, also for a file that was never saved.
    """
    path = Path(filepath).absolute()
    if not bpy.data.filepath:
        raise SceneError("save the Blender file first: a recipe says in which file its hall is")
    recording = path_between(path.parent, Path(bpy.data.filepath))
    figures = [FigureEntry("overview.png", options={"preset": "overview"})]
    if scene.camera is not None:
        figures.append(FigureEntry("camera.png", options={"preset": OWN_CAMERA}))
    text = write_recipe(Recipe(recording=recording, look=_look(scene), figures=tuple(figures)))
    with replaced(path, ".toml") as part:
        part.write_text(text, encoding="utf-8")
    return f"saved {path.name}; innerwalk render {path.name} -o figures makes its pictures"


def open_recipe(scene: bpy.types.Scene, filepath: Path | str) -> str:
    """Gives this hall the colours, collapsed blocks and moved panels that a recipe states; its figures aren't made.

    Returns a line that says so. Raises InputError for what is wrong with the recipe, UnknownName for a panel that this
    hall doesn't have; then nothing is changed.
    """
    look = read_recipe(Path(filepath)).look
    moved = look.get("moved", {})
    layers = panels(scene) | store.collapsed_panels(scene)
    if unknown := next((layer for layer in moved if layer not in layers), None):
        raise UnknownName("panel of layer", unknown, layers)
    stated: dict[str, Any] = {key: tuple(look[key]) if key == "collapse" else look[key] for key in LOOK if key in look}
    if "theme" in stated and "colour_map" not in stated:
        stated["colour_map"] = ""
    refit_hall(scene, replace(store.read_appearance(scene), **stated))
    _move_panels(scene, moved)
    return f"{Path(filepath).name}: {', '.join(stated) or 'colours as they were'}; {len(moved)} panels moved"


def _look(scene: bpy.types.Scene) -> dict[str, Any]:
    appearance = store.read_appearance(scene)
    look = {name: getattr(appearance, name) for name in LOOK}
    moves = store.manual_moves(scene)
    moved = {layer: np.array(move).ravel().round(DIGITS).tolist() for layer, move in moves.items()}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in look.items() if value} | (
        {"moved": moved} if moved else {}
    )


def _move_panels(scene: bpy.types.Scene, moved: Mapping[str, Sequence[float]]) -> None:
    """Puts panels where they are moved to, and all others to their planned places."""
    for panel in scene.objects:
        if PANEL_LAYER_ID in panel and PANEL_PLANNED_PLACE in panel and panel.parent is None:
            planned = np.reshape(panel[PANEL_PLANNED_PLACE], (4, 4))
            move = np.reshape(moved.get(panel[PANEL_LAYER_ID], np.eye(4)), (4, 4))
            panel.matrix_world = Matrix((planned @ move).tolist())
    link_drawing.update_links(scene)
