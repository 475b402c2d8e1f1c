"""`innerwalk render` and `innerwalk recipe`."""

from __future__ import annotations

import argparse
import json

from ..blender_addon.recipes import json_schema, read_recipe, write_recipe
from ..torch_bridge.recording.errors import InputError
from .interrupt import start_blender
from .progress import ProgressBar


def render(options: argparse.Namespace, progress: ProgressBar) -> None:
    """Runs `innerwalk render`."""
    recipe = read_recipe(options.recipe)  # before Blender starts, which takes a second
    start_blender()
    from .render_recipe import RecipeRun

    run, lines = RecipeRun(recipe, options.recipe.parent, options.trust), []
    try:
        lines += [] if options.check else run.changed_files()
        lines += (run.check if options.check else run.render)(options.output, progress)
    finally:
        progress.close()
        print("".join(f"{line}\n" for line in lines), end="")


def recipe(options: argparse.Namespace, progress: ProgressBar) -> None:
    """Runs `innerwalk recipe`."""
    if options.schema:
        print(json.dumps(json_schema(), indent=2))
        return
    if options.recording is None:
        raise InputError("name a recording or a .blend file to write a recipe for, or --schema")
    start_blender()
    from ..blender_addon.output.output_files import replaced
    from .render_recipe import recipe_of_recording

    text = write_recipe(recipe_of_recording(options.recording, options.output))
    if options.output is None:
        print(text, end="")
        return
    with replaced(options.output, ".toml") as part:
        part.write_text(text, encoding="utf-8")
    print(f"saved {options.output}; next: innerwalk render {options.output} -o figures")
