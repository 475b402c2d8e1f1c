"""Renders a recipe's film: its network runs here, once, and what renders frames opens recordings only."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ...blender_addon.recipes import write_recipe
from ...torch_bridge.recording import Progress
from ..film_run import SERIES_ENDING, keyed_series
from ..render_recipe import RecipeRun, place_of
from .film_bundle import FilmBundle, bundle_files
from .film_job import FilmJob
from .render_film import render_film


def render_recipe_film(run: RecipeRun, out: Path, job: FilmJob, progress: Progress) -> Iterator[str]:
    """Renders a recipe's film into a folder, as far as the job says; yields lines on it. Raises InnerwalkError."""
    with tempfile.TemporaryDirectory() as scratch:
        bundle = bundle_film(run, Path(scratch), progress)
        target = place_of(out, run.recipe.film["output"])
        yield from render_film(bundle, target, job, run.recipe.film, progress)


def bundle_film(run: RecipeRun, scratch: Path, progress: Progress) -> FilmBundle:
    """Returns the bundle of a recipe's film. scratch: where a network's recording is saved. Raises InnerwalkError."""
    recipe = run.recipe
    recording = run.folder / recipe.recording
    if recipe.network:
        recording = scratch / "recording"
        run.shown(progress).recording.save(recording)
    name = _name("recording", recording)
    others = dict.fromkeys(place for shot in recipe.shots for place in (shot.beside, *shot.pictures) if place)
    names = {place: _name(f"other-{k}", Path(place)) for k, place in enumerate(others)}
    shots = [
        replace(shot, beside=names.get(shot.beside, ""), pictures=[names[place] for place in shot.pictures])
        for shot in recipe.shots
    ]
    film = {key: value for key, value in recipe.film.items() if key not in ("output", "poster")} | {"output": "film"}
    plain = replace(
        recipe,
        recording=name,
        recording_sha256="",
        network={},
        weights_sha256="",
        inputs=(),
        figures=(),
        film=film,
        shots=shots,
    )
    named = {name: recording} | {inner: run.folder / place for place, inner in names.items()}
    if series := keyed_series(recipe, recording):
        named[str(Path(name).with_suffix(SERIES_ENDING))] = series
    return bundle_files(write_recipe(plain, comments=False), named)


def _name(name: str, place: Path) -> str:
    """Returns the path of a recording or hall in a bundle, which tells its kind by its ending."""
    return f"{name}.blend" if place.suffix == ".blend" else name
