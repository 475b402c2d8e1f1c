"""A series in a window: opened and keyed by buttons, played, rendered in a thread of Blender's, undone."""

from dataclasses import replace
from pathlib import Path

import bpy
import bridge_helpers as at
import numpy as np
import session as rig

COUNT = 4
FACTORS = (1.0, -1.0, 2.0, 0.5)
"""What the maps of each entry are multiplied by."""


def session() -> rig.Steps:
    rig.install()
    rig.open_object()
    panel = at.addon("blender_addon.ui.hall.series_panel").INNERWALK_PT_series
    bpy.utils.unregister_class(panel)
    panel.bl_options, panel.bl_order = set(), 0  # open and on top, so that its buttons can be found
    bpy.utils.register_class(panel)
    yield from rig.maximise()
    yield from rig.sidebar("Innerwalk")
    own = at.values()
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.innerwalk.open_series("EXEC_DEFAULT", True, directory=str(written(rig.OUT / "clip")))
    yield from rig.settled()
    rig.check("the first entry is shown", shows(own, 0))
    place = yield from rig.button("innerwalk.key_series")
    yield from rig.click(place)
    yield from rig.settled()
    scene = bpy.context.scene
    rig.report("range", [scene.frame_start, scene.frame_end])
    rig.picture("1 keyed")
    for frame in (2, 4, 3):
        scene.frame_set(frame)
        rig.check(f"frame {frame} shows its entry", shows(own, frame - 1))
    yield from rig.settled()
    rig.picture("2 frame 3")
    yield from renders(scene)
    rig.check("after the render the hall is at its frame", shows(own, scene.frame_current - 1))
    yield from undoes(own)


def written(folder: Path) -> Path:
    """Writes a series of the recording with other values."""
    recording = at.addon("torch_bridge.recording")
    first = recording.load(rig.OBJECT)
    with recording.SeriesWriter(folder, "frame", 12.0) as writer:
        for k, factor in enumerate(FACTORS):
            inputs, scale = tuple(replace(each, source=f"frame {k}") for each in first.inputs), np.float32(factor)
            own = replace(first, input_name=f"frame {k}", inputs=inputs, all_maps={})
            own.add(replace(maps, texels=maps.texels * scale, extras={}) for maps in first.all_maps.values())
            writer.add(f"frame {k}", own)
    return folder


def shows(own: dict[str, np.ndarray], position: int) -> bool:
    return at.equal(at.values(), {layer: texels * np.float32(FACTORS[position]) for layer, texels in own.items()})


def renders(scene: bpy.types.Scene) -> rig.Steps:
    """Renders the animation as a person does, in a thread of Blender's beside the window."""
    folder, ended = rig.OUT / "frames", []
    scene.render.resolution_x, scene.render.resolution_y = 160, 90
    scene.render.engine, scene.cycles.samples = "CYCLES", 1
    scene.render.filepath = f"{folder}/"
    bpy.app.handlers.render_complete.append(lambda *_: ended.append(True))
    with rig.view3d().context():
        bpy.ops.render.render("INVOKE_DEFAULT", animation=True)
    yield from rig.until("the animation", lambda: ended, 300)
    yield 1.0
    pictures = [pixels(path) for path in sorted(folder.iterdir())]
    rig.report("frames", len(pictures))
    rig.report("changes", [float(np.abs(pictures[k] - pictures[k - 1]).max()) for k in range(len(pictures))])


def pixels(path: Path) -> np.ndarray:
    image = bpy.data.images.load(str(path))
    found = np.zeros(4 * image.size[0] * image.size[1], np.float32)
    image.pixels.foreach_get(found)
    bpy.data.images.remove(image)
    return found


def undoes(own: dict[str, np.ndarray]) -> rig.Steps:
    """Undoes everything back to before the series was opened."""
    for _ in range(20):
        if "innerwalk_series" not in bpy.context.scene:
            break
        with rig.view3d().context():
            bpy.ops.ed.undo()
        yield 0.3
    yield from rig.until("the maps of before", lambda: shows(own, 0), 30)
    rig.check("no series is left", "innerwalk_series" not in bpy.context.scene)
    rig.picture("3 undone")
