"""Pictures that a person takes of a hall from where they stand: small at once, later in full size with a recipe."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import bpy

from ...torch_bridge.recording.errors import SceneError
from ..imaging.filenames import file_name
from ..layout.camera_presets import OWN_CAMERA
from ..layout.view import View
from ..properties import INPUT_TAG
from ..recipes import FigureEntry, Recipe, path_between, write_recipe
from ..scene.hall import store
from .figure import render_figure
from .figure_options import SAMPLES, FigureOptions
from .output_files import replaced

SMALL_WIDTH, SMALL_SAMPLES = 480, 4
"""Pixels across a small picture, and its samples a pixel."""
DIGITS = 4
"""Decimal places of points, a tenth of a millimetre, and of lenses."""


@dataclass(frozen=True)
class TakenPicture:
    """A picture that was taken, of which a small one is kept."""

    file: Path
    options: FigureOptions
    """Of the picture in full size."""
    shown: object
    """What the hall showed when it was taken."""


def take_picture(scene: bpy.types.Scene, view: View | None, folder: Path) -> TakenPicture:
    """Draws a small picture of a hall from a view into a new file, NETWORK-1.png and so on; None: from its camera.

    folder: made if it is missing. Raises SceneError.
    """
    options = _options(scene, view)
    name = file_name(store.read_description(scene).network.name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SceneError(f"{folder}: can't be made ({error.strerror}); choose another folder") from None
    file = _free_file(folder, name)
    width, height = options.size or (SMALL_WIDTH, SMALL_WIDTH)
    small = replace(options, size=(SMALL_WIDTH, max(1, SMALL_WIDTH * height // width)), samples=SMALL_SAMPLES)
    render_figure(scene, file, small)
    return TakenPicture(file, options, _shown(scene))


def finish_picture(scene: bpy.types.Scene, taken: TakenPicture) -> str:
    """Renders a picture in full size in place of the small one, and writes its recipe beside it, for a saved file.

    Returns a line that says where. Raises SceneError, also where the hall shows something else by now.
    """
    if _shown(scene) != taken.shown:
        raise SceneError(f"{taken.file.name} stays small: the hall shows something else than when it was taken")
    render_figure(scene, taken.file, taken.options)
    if not bpy.data.filepath:
        return f"saved {taken.file}; save the Blender file first to get recipes of pictures"
    _write_recipe(taken, Path(bpy.data.filepath))
    return f"saved {taken.file} and its recipe"


def _options(scene: bpy.types.Scene, view: View | None) -> FigureOptions:
    name = scene.name if len(store.halls()) > 1 else None
    options = FigureOptions(OWN_CAMERA, samples=SAMPLES, scene=name)
    if view is None:
        render, share = scene.render, scene.render.resolution_percentage / 100
        return replace(
            options, size=(max(1, int(render.resolution_x * share)), max(1, int(render.resolution_y * share)))
        )
    eye, target = map(_rounded, (view.position, view.target))
    lens, span = (None if number is None else round(number, DIGITS) for number in (view.lens, view.span))
    size = view.width, view.height
    return replace(options, size=size, eye=eye, target=target, lens=None if span else lens, span=span)


def _rounded(point: tuple[float, float, float]) -> tuple[float, float, float]:
    x, y, z = point
    return round(x, DIGITS), round(y, DIGITS), round(z, DIGITS)


def _free_file(folder: Path, name: str) -> Path:
    """Returns the first of NAME-1.png, NAME-2.png … of which there is neither a picture nor a recipe."""
    number = 1
    while any((folder / f"{name}-{number}{suffix}").exists() for suffix in (".png", ".toml")):
        number += 1
    return folder / f"{name}-{number}.png"


def _shown(scene: bpy.types.Scene) -> object:
    """Returns what distinguishes a hall from itself with another input, other maps or other colours."""
    return scene.get(INPUT_TAG, ""), store.read_description(scene).input_name, store.read_appearance(scene)


def _write_recipe(taken: TakenPicture, blend: Path) -> None:
    stated = {key: value for key, value in asdict(taken.options).items() if value is not None}
    figures = (FigureEntry(taken.file.name, options=stated),)
    recipe = Recipe(recording=path_between(taken.file.parent, blend), figures=figures)
    with replaced(taken.file.with_suffix(".toml"), ".toml") as part:
        part.write_text(write_recipe(recipe, comments=False), encoding="utf-8")
