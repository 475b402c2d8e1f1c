"""Draws a 3D view by Innerwalk's own engine, reads tiles' colours from the screen, and times redraws while orbiting."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import bpy
import bridge_helpers as at
import numpy as np
import session as rig
from mathutils import Vector

LAYERS = ("stem.conv", "stage1.0.conv2", "stage2.0.conv1", "stage3.0.conv2")
SAMPLES = 5


def session() -> rig.Steps:
    rig.install()
    rig.view3d().space.shading.type = "SOLID"
    rig.open_object()
    yield from rig.maximise()
    rig.report("shading", rig.view3d().space.shading.type)
    rig.report("engine", bpy.context.scene.render.engine)
    yield from rig.settled()
    rig.picture("entrance")
    rig.view3d().space.overlay.show_overlays = rig.view3d().space.show_gizmo = False
    rng, differences = np.random.default_rng(0), []
    for layer in LAYERS:
        at.act("jump", layer=layer)
        yield from rig.settled()
        differences += list(differences_of(rig.picture(layer), layer, rng))
    rig.report("tiles: largest difference from numpy", max(differences))
    rig.report("tiles", len(differences))
    yield from follows(rng)
    rig.view3d().space.overlay.show_overlays = True
    at.act("enter")
    with rig.view3d().context():
        bpy.ops.mesh.primitive_cube_add(location=rig.view3d().space.region_3d.view_location)
    yield from rig.settled()
    rig.picture("own cube")
    rig.report("redraw s", at.redraw_seconds())


def follows(rng: np.random.Generator) -> rig.Steps:
    """Changes the values of the last panel, then the hall's colours, and reads the screen again."""
    maps = shown_maps(LAYERS[-1])
    changed = dataclasses.replace(maps, texels=-maps.texels[::-1].copy())
    at.addon("blender_addon.scene.panels").show_maps(at.panels()[LAYERS[-1]], changed)
    yield from rig.settled()
    rig.report("new values: difference", max(differences_of(rig.picture("new values"), LAYERS[-1], rng)))
    bpy.ops.innerwalk.show_look("EXEC_DEFAULT", colour_map="ember")
    yield from rig.settled()
    rig.report("new colours: difference", max(differences_of(rig.picture("ember"), LAYERS[-1], rng, "ember")))


def shown_maps(layer: str) -> Any:
    panel = at.panels()[layer]
    shown = panel.get("innerwalk_shows", layer)
    return at.addon("blender_addon.scene.hall.store").read_maps(panel, shown, "activations")


def differences_of(
    taken: np.ndarray, layer: str, rng: np.random.Generator, colour_map: str = "signed"
) -> Iterator[float]:
    """Differences 0..255 of texels' middles on the screen from numpy, of random texels of a panel."""
    texels, maps = dict(texels_of(layer, colour_map)), shown_maps(layer)
    for channel in rng.choice(len(maps.data), SAMPLES, replace=False):  # with this seed, none below Blender's buttons
        y, x = (int(rng.integers(side)) for side in maps.data.shape[1:])
        place, wanted = texels[int(channel), y, x]
        yield float(np.abs(np.array(rig.colour(taken, rig.pixel(place))) - wanted).max())


def texels_of(layer: str, colour_map: str = "signed") -> Iterator[tuple[Any, tuple[Vector, np.ndarray]]]:
    """All texels of a panel: (channel, row, column), and its middle in the world with its colour by numpy, 0..255."""
    panel, maps = at.panels()[layer], shown_maps(layer)
    colour_values = at.addon("blender_addon.imaging.colour_maps").colour_values
    colours = 255 * colour_values(maps.data, np.reshape(maps.peak, (-1, 1, 1)), colour_map)
    columns, rows, width, height = panel["innerwalk_grid"]
    fill = at.addon("blender_addon.layout.hall_model").FILL
    for channel, y, x in np.ndindex(colours.shape[:3]):
        row, column = divmod(channel, int(columns))
        inside = np.array([(x + 0.5) / colours.shape[2], 1 - (y + 0.5) / colours.shape[1]])
        across, up = (inside - 0.5) * fill + 0.5
        place = Vector(((column + across) * width, (rows - 1 - row + up) * height, 0))
        yield (channel, y, x), (panel.matrix_world @ place, colours[channel, y, x])
