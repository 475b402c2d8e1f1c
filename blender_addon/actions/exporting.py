"""Layers and halls are exported as 16-bit pictures, values and statistics; `imaging/export.py` describes the files."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

import bpy
import numpy as np

from ...torch_bridge.recording import Network, Progress
from ...torch_bridge.recording.errors import SceneError
from ..atomic_folders import free_path, new_folder
from ..imaging import export
from ..imaging.filenames import file_name, file_names
from ..output.flat_figure import write_flat_figure
from ..pages.page_options import PageOptions
from ..scene.hall import store
from ..scene.panels import panel_of, panels, values

READING_SHARE = 0.1
"""Share of the whole progress that reading the maps takes."""


class Exported(NamedTuple):
    """A finished export."""

    folder: Path
    line: str
    """What was exported to where, as a person reads it."""


ExportSteps = Generator[tuple[str, float], None, Exported]
"""Generator of (name of the step, progress from 0 to 1); closing it removes what was written."""


def export_layer(scene: bpy.types.Scene, layer: str, directory: Path | str, progress: Progress | None = None) -> str:
    """Exports one layer into a new folder inside `directory`.

    progress: called with the name and the share of the work of each step. Returns a line that says where the folder
    is. Raises SceneError or UnknownName; then nothing is written.
    """
    return run_export(export_steps(scene, directory, layer), progress).line


def export_hall(scene: bpy.types.Scene, directory: Path | str, progress: Progress | None = None) -> str:
    """Exports the layers of all panels into a new folder inside `directory`.

    progress: called with the name and the share of the work of each step. Returns a line that says where the folder
    is. Raises SceneError; then nothing is written.
    """
    return run_export(export_steps(scene, directory), progress).line


def export_figure(
    scene: bpy.types.Scene, filepath: Path | str, preset: str = "plate", layer: str = "", width: float = 170.0
) -> str:
    """Writes a flat figure of the hall for print, as it is shown, to an .svg or .png file.

    preset: plate, grid, overlay or chart. layer: of a grid and an overlay, by default the first and the last that fits;
    a plate calls out its strongest channels. width: of the page, mm. Returns a line that says where. Raises SceneError
    or UnknownName; then nothing is written.
    """
    options = PageOptions(preset=preset, layer=layer or None, width=width)
    return f"saved {write_flat_figure(scene, filepath, options)}"


def export_steps(scene: bpy.types.Scene, directory: Path | str, layer: str = "") -> ExportSteps:
    """Exports one layer, or with "" all panels, in short steps. Errors are raised by the first step."""
    network = store.read_description(scene).network
    if layer:
        panel_of(scene, layer)
    names = file_names(layer.id for layer in network.layers)
    metadata, look = _metadata(scene, layer), _look(scene)
    contents = yield from _read(scene, network, names, layer)
    path = free_path(Path(directory), names[layer] if layer else file_name(network.name))
    with new_folder(path) as part:
        for what, share in export.write_export(part, contents, look, metadata):
            yield what, READING_SHARE + (1 - READING_SHARE) * share
    line = f"exported {len(contents)} layer{'s' if len(contents) > 1 else ''} of {network.name} to {path}"
    return Exported(path, line)


def run_export(work: ExportSteps, progress: Progress | None = None) -> Exported:
    """Runs all steps."""
    while True:
        try:
            what, share = next(work)
        except StopIteration as done:
            return done.value
        if progress:
            progress(what, share)


def _read(
    scene: bpy.types.Scene, network: Network, names: dict[str, str], layer: str
) -> Generator[tuple[str, float], None, list[export.ExportLayer]]:
    """Returns the maps that the panels show now, reading one panel in each step."""
    uid, method = scene.session_uid, store.read_appearance(scene).method
    ids = [layer] if layer else [id for id in panels(scene) if id in network.by_id]
    contents: list[export.ExportLayer] = []
    for done, id in enumerate(ids):
        hall = _hall(uid)
        panel, info = panels(hall).get(id), network.by_id[id]
        maps = store.read_maps(panel, info.shows or id, method) if panel else None
        if maps is not None:
            contents.append(export.ExportLayer(info, maps, values.scales_of(hall, panel), names[id]))
        yield id, READING_SHARE * (done + 1) / len(ids)
    if not contents:
        raise SceneError(f"scene {scene.name!r}: no panel shows maps of {layer or 'a layer'}; record them first")
    return contents


def _hall(uid: int) -> bpy.types.Scene:
    """Returns the hall again; it may have been deleted between two steps. Raises SceneError."""
    found = next((scene for scene in store.halls() if scene.session_uid == uid), None)
    if found is None:
        raise SceneError("the hall was deleted while it was exported; nothing was written")
    return found


def _look(scene: bpy.types.Scene) -> export.Colouring:
    appearance = store.read_appearance(scene)
    return export.Colouring(appearance.theme, appearance.colour_map, appearance.gain)


def _metadata(scene: bpy.types.Scene, layer: str) -> dict[str, object]:
    """Returns where the values come from; without the time, so that equal exports are equal files."""
    recording, appearance = store.read_description(scene), store.read_appearance(scene)
    network = recording.network
    return {
        "network": network.name,
        "weights": network.weights or ("unknown" if network.trained else "random"),
        "parameters": network.parameters,
        "input": recording.input_name,
        "layer": layer,
        "method": appearance.method,
        "normalisation": appearance.normalisation,
        "software": "innerwalk",
        "blender": bpy.app.version_string,
        "numpy": np.__version__,
        "recording": recording.provenance,
    }
