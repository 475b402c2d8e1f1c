"""`innerwalk render`, `innerwalk figure`, `innerwalk farm` and `innerwalk recipe`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ..blender_addon.output.output_files import replaced
from ..blender_addon.recipes import FigureEntry, Recipe, json_schema, read_recipe, write_recipe
from ..blender_addon.recipes.fields import FIGURES
from ..torch_bridge.recording.errors import InputError
from .film_files.film_arguments import film_job
from .film_files.film_job import FilmJob
from .interrupt import start_blender
from .progress import ProgressBar
from .render_recipe import RecipeRun, recipe_of_recording


def render(options: argparse.Namespace, progress: ProgressBar) -> None:
    """Runs `innerwalk render`: figures, then the film; the film alone where options are about its frames."""
    recipe = read_recipe(options.recipe)  # before Blender starts, which takes a second
    job = film_job(options)
    is_film = job != FilmJob()
    if is_film and not recipe.film:
        raise InputError(f"{options.recipe}: --frames, --workers and --scheduler are of films, and it has no [film]")
    if options.check and (is_film or not recipe.figures):
        raise InputError(f"{options.recipe}: --check renders figures once more, and none are asked for here")
    run, lines = RecipeRun(recipe, options.recipe.parent, options.trust), []
    try:
        lines += [] if options.check else run.changed_files()
        if (recipe.figures or not recipe.film) and not is_film:
            lines += (run.check if options.check else run.render)(options.output, progress)
        if recipe.film and not options.check:
            start_blender()
            from .film_files.recipe_bundle import render_recipe_film

            lines += render_recipe_film(run, options.output, job, progress)
    finally:
        progress.close()
        print("".join(f"{line}\n" for line in lines), end="")


def farm(options: argparse.Namespace, progress: ProgressBar) -> None:
    """Runs `innerwalk farm`."""
    recipe = read_recipe(options.recipe)
    start_blender()
    from .film_files.farm_jobs import JOBS
    from .film_run import open_film

    count = open_film(recipe, options.recipe.parent, options.trust, progress).frame_count
    progress.close()
    places = options.recipe.absolute(), options.output.absolute()
    print(JOBS[options.job](*places, count, options.tasks, options.trust), end="")


def figure(options: argparse.Namespace, progress: ProgressBar) -> None:
    """Runs `innerwalk figure`: a recipe of one figure."""
    stated = {name: value for name, value in vars(options).items() if name in FIGURES and value not in (None, [])}
    method, channels = stated.pop("method", ""), stated.pop("channels", ())
    beside = {"beside": [str(place) for place in stated.pop("beside")]} if "beside" in stated else {}
    del stated["output"]
    entry = FigureEntry(str(options.output), method=method, channels=channels, options=stated | beside)
    run = RecipeRun(Recipe(recording=str(options.source), figures=[entry]), Path(), trust=False)
    lines = run.write(entry, options.output, progress)
    progress.close()
    print("\n".join(lines))


def recipe(options: argparse.Namespace, progress: ProgressBar) -> None:
    """Runs `innerwalk recipe`."""
    if options.schema:
        print(json.dumps(json_schema(), indent=2))
        return
    if options.recording is None:
        raise InputError("name a recording or a .blend file to write a recipe for, or --schema")
    text = write_recipe(recipe_of_recording(options.recording, options.output))
    if options.output is None:
        print(text, end="")
        return
    with replaced(options.output, ".toml") as part:
        part.write_text(text, encoding="utf-8")
    print(f"saved {options.output}; next: innerwalk render {options.output} -o figures")
