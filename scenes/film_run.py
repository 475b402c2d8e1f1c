"""Opens the film of a recipe, so that any of its frames can be rendered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import bpy

from ..blender_addon.films import Film, FilmHall, ShotOptions, plan_film
from ..blender_addon.output.figure_options import FigureOptions, Source, open_source, with_options
from ..blender_addon.output.film_frames import FilmFrames
from ..blender_addon.output.film_halls import build_film_hall, film_hall_of
from ..blender_addon.output.hall_files import append_hall
from ..blender_addon.output.panorama_frames import PanoramaFrames
from ..blender_addon.properties import SERIES_FOLDER
from ..blender_addon.recipes import FigureEntry, Recipe
from ..blender_addon.scene.hall.series import series_of, stored_folder
from ..blender_addon.scene.hall.store import read_appearance
from ..blender_addon.scene.state.data_blocks import temporary_data
from ..torch_bridge.recording import Progress, Series, load, load_series
from ..torch_bridge.recording.errors import InputError
from ..torch_bridge.recording.writing import SERIES_DOCUMENT
from .render_recipe import RecipeRun, stated_options

SERIES_ENDING = ".series"
"""How the folder is named in which the series of a .blend file goes with it to other processes and machines."""
LOOK = ("theme", "colour_map", "normalisation", "gain", "title", "collapse")


def open_film(recipe: Recipe, folder: Path, trust: bool, progress: Progress | None = None) -> FilmFrames:
    """Builds the halls of a recipe's film in the open file and plans its shots.

    folder: that of the recipe's file. trust: whether the network may run code of its own. Raises InnerwalkError.
    """
    if not recipe.film:
        raise InputError('the recipe has no film; add [film] with output = "film.mp4", and [[shots]]')
    run = RecipeRun(recipe, folder, trust)
    scene, hall, theme, series = _first_hall(run, progress or (lambda doing, done: None))
    if series is None and any(entry.kind == "series" for entry in recipe.shots):
        named = recipe.recording or "[network]"
        raise InputError(
            f"{named}: it has one entry, and a shot of kind series needs a series: innerwalk series makes one"
        )
    others = list(dict.fromkeys(entry.beside for entry in recipe.shots if entry.beside))
    second = [_second_hall(run.folder / name, recipe) for name in others]
    entries = [
        ShotOptions(
            entry.kind,
            **_as_numbers(entry.options),
            beside=others.index(entry.beside) if entry.beside else None,
            pictures=[load(run.folder / name) for name in entry.pictures],
        )
        for entry in recipe.shots
    ]
    film = plan_film(hall, entries, plain_film(recipe, theme), [each for _, each in second])
    if recipe.film.get("panorama"):
        return PanoramaFrames(scene, film, series)
    return FilmFrames(scene, film, [each for each, _ in second], series)


def plain_film(recipe: Recipe, theme: str) -> Film:
    """Returns the film of a recipe before its shots are planned. theme: of the hall."""
    stated = recipe.film
    names = {"passes": "passes", "transparent": "transparent", "progress": "shows_progress"}
    plain = {name: stated[key] for key, name in names.items() if key in stated}
    plain |= {key: float(stated[key]) for key in ("rate", "dissolve") if key in stated}
    size: Sequence[int] = stated.get("size", Film.size)
    return Film((), size=(size[0], size[1]), theme=theme, **plain)


def keyed_series(recipe: Recipe, place: Path) -> Path | None:
    """Returns the folder of the series that a recipe's .blend file shows, if it shows one. Raises SceneError."""
    if place.suffix != ".blend" or all(entry.kind != "camera" for entry in recipe.shots):
        return None
    with temporary_data():
        scene = append_hall(place)
        folder = Path(stored_folder(scene)) if SERIES_FOLDER in scene.keys() else None
    return folder if folder and (folder / SERIES_DOCUMENT).is_file() else None


def _first_hall(run: RecipeRun, progress: Progress) -> tuple[bpy.types.Scene, FilmHall, str, Series | None]:
    """Returns the scene of the film's hall, its plan, its theme and its series.

    A keyed camera is that of the hall's own scene. A recording may be a series, whose first entry is shown first.
    """
    recipe, place = run.recipe, run.folder / run.recipe.recording
    if any(entry.kind == "camera" for entry in recipe.shots) and place.suffix == ".blend":
        scene = append_hall(place)
        if (packed := place.with_suffix(SERIES_ENDING)).is_dir():
            scene[SERIES_FOLDER] = str(packed.absolute())
        shown = series_of(scene) if SERIES_FOLDER in scene.keys() else None
        return scene, film_hall_of(scene), read_appearance(scene).theme, shown
    series = load_series(place) if recipe.recording and (place / SERIES_DOCUMENT).exists() else None
    source = _with_look(run.shown(progress) if series is None else open_source(series.load(0)), recipe)
    return *build_film_hall(source, series), source.appearance.theme, series


def _second_hall(place: Path, recipe: Recipe) -> tuple[bpy.types.Scene, FilmHall]:
    """Returns the scene and the plan of a hall on the right; in a .blend file its camera may be keyed."""
    if any(entry.kind == "camera" for entry in recipe.shots) and place.suffix == ".blend":
        scene = append_hall(place)
        return scene, film_hall_of(scene)
    return build_film_hall(_with_look(open_source(place), recipe))


def _with_look(source: Source, recipe: Recipe) -> Source:
    """Returns what is shown in the look of the recipe and, before that, of its film."""
    stated = {key: recipe.film[key] for key in LOOK if key in recipe.film}
    options = FigureOptions(**stated_options(recipe, FigureEntry("", options=stated)))
    return replace(source, appearance=with_options(source.appearance, options))


def _as_numbers(options: Any) -> dict[str, Any]:
    """Returns the keys of a shot with its numbers as such."""
    return {key: float(value) if key in ("seconds", "speed") else value for key, value in options.items()}
