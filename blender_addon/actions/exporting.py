"""Layers and whole halls as files: pictures of 16 bits, values, statistics; see export.py for what is in the folder."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import bpy
import numpy as np

from ...torch_bridge.recording import Network
from ...torch_bridge.recording.errors import SceneError
from ..atomic_files import free_path, new_folder
from ..imaging import export
from ..imaging.filenames import file_name, file_names
from ..scene.hall import store
from ..scene.panels import panel_of, panels, values
from ..scene.view.render import Progress

READ = 0.1
"""Share of the work that reading the maps is."""

Steps = Generator[tuple[str, float], None, str]
"""Yields (what is done, share of the whole); returns the line that says what was done. Closing it leaves nothing."""


def export_layer(scene: bpy.types.Scene, layer: str, directory: Path | str, progress: Progress | None = None) -> str:
    """Write one layer into a new folder inside `directory`. Raises SceneError or UnknownName, nothing being written."""
    return run(steps(scene, directory, layer), progress)


def export_hall(scene: bpy.types.Scene, directory: Path | str, progress: Progress | None = None) -> str:
    """Write every panel into a new folder inside `directory`. Raises SceneError; then nothing is written."""
    return run(steps(scene, directory), progress)


def steps(scene: bpy.types.Scene, directory: Path | str, layer: str = "") -> Steps:
    """The same in small steps, so that an interface stays awake; "": every panel. Errors come with the first step."""
    network = store.described(scene).network
    if layer:
        panel_of(scene, layer)
    names = file_names(one.id for one in network.layers)
    about, look = _about(scene, layer), _look(scene)
    contents = yield from _read(scene, network, names, layer)
    path = free_path(Path(directory), names[layer] if layer else file_name(network.name))
    with new_folder(path) as part:
        for what, share in export.write(part, contents, look, about):
            yield what, READ + (1 - READ) * share
    return f"{len(contents)} layer{'s' if len(contents) > 1 else ''} of {network.name} in {path}"


def run(work: Steps, progress: Progress | None = None) -> str:
    """Take all steps at once."""
    while True:
        try:
            what, share = next(work)
        except StopIteration as done:
            return str(done.value)
        if progress:
            progress(what, share)


def _read(
    scene: bpy.types.Scene, network: Network, names: dict[str, str], layer: str
) -> Generator[tuple[str, float], None, list[export.Content]]:
    """The maps as they are now, a panel a step."""
    id, method = scene.session_uid, store.dress_of(scene).method
    wanted = [layer] if layer else [one for one in panels(scene) if one in network.by_id]
    found: list[export.Content] = []
    for done, name in enumerate(wanted):
        now = _hall(id)
        there, shown = panels(now).get(name), network.by_id[name]
        maps = store.maps_of(there, shown.shows or name, method) if there else None
        if maps is not None:
            found.append(export.Content(shown, maps, values.scales_of(now, there), names[name]))
        yield name, READ * (done + 1) / len(wanted)
    if not found:
        raise SceneError(f"scene {scene.name!r}: no panel shows maps of {layer or 'a layer'}; record them first")
    return found


def _hall(id: int) -> bpy.types.Scene:
    """The scene again: between two steps a person may have taken it away."""
    found = next((one for one in store.halls() if one.session_uid == id), None)
    if found is None:
        raise SceneError("the hall was taken away while it was exported; nothing was written")
    return found


def _look(scene: bpy.types.Scene) -> export.Look:
    dress = store.dress_of(scene)
    return export.Look(dress.theme, dress.map, dress.gain)


def _about(scene: bpy.types.Scene, layer: str) -> dict[str, object]:
    """Where the values come from; no times, so that equal exports are equal."""
    told, dress = store.described(scene), store.dress_of(scene)
    network = told.network
    return {
        "network": network.name, "weights": network.weights or ("unknown" if network.trained else "random"),
        "parameters": network.parameters, "input": told.input_name, "layer": layer, "method": dress.method,
        "normalisation": dress.normalisation, "software": "innerwalk", "blender": bpy.app.version_string,
        "numpy": np.__version__, "recording": told.provenance,
    }  # fmt: skip
