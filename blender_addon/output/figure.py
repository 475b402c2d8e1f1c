"""Renders a recording or a hall to a PNG file that carries its provenance."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np

from ...torch_bridge.recording import Progress, Recording
from ..imaging.file_facts import file_facts
from ..layout.camera_presets import OWN_CAMERA
from ..scene.hall.store import Appearance
from ..scene.state.data_blocks import temporary_data
from ..scene.view import render
from .figure_options import VIEWPOINT, FigureOptions, FigureSource, check
from .output_files import replaced
from .own_scene import own_scene
from .png_text import with_texts
from .preset_scene import preset_scene


def render_figure(
    source: FigureSource,
    out: Path | str,
    options: FigureOptions | None = None,
    *,
    progress: Progress | None = None,
    on_note: Callable[[str], object] | None = None,
) -> Path:
    """Renders a recording, a hall, a recording's folder or a .blend file to a PNG file that carries its provenance.

    The same input gives the same bytes, by Innerwalk's engine with the same graphics driver. Scenes of the open file
    stay as they are. on_note: called with a line where Cycles renders what Innerwalk's engine doesn't draw. Raises
    SceneError, RecordingError or UnknownName; then nothing is written.
    """
    out, options = Path(out), options or FigureOptions()
    check(options)
    with replaced(out, ".png") as part, temporary_data():
        if options.preset == OWN_CAMERA:
            scene, shown, options = own_scene(source, options)
        else:
            scene, shown, options = preset_scene(source, options, progress)
        rendering = render.render_png(scene, part, progress)
        if rendering.note and on_note:
            on_note(f"rendered by Cycles: {rendering.note}")
        texts = provenance(shown.recording, shown.appearance, options, rendering)
        part.write_bytes(with_texts(part.read_bytes(), texts))
    return out


def provenance(
    recording: Recording, appearance: Appearance, options: FigureOptions, rendering: render.Rendering
) -> dict[str, str]:
    """Returns the PNG texts of a figure by keyword: what it shows and what made it, without times or host names."""
    how = {
        "preset": options.preset,
        "layer": options.layer,
        "size": list(options.size),
        "samples": options.samples,
        **rendering._asdict(),
        **{name: value for name in VIEWPOINT if (value := getattr(options, name)) is not None},
        "theme": appearance.theme,
        "colour_map": appearance.colour_map,
        "normalisation": appearance.normalisation,
        "gain": appearance.gain,
        "method": appearance.method,
        "collapse": list(appearance.collapse),
        "blender": bpy.app.version_string,
        "numpy": np.__version__,
    }
    return file_facts(appearance.title or recording.network.name, recording, how)
