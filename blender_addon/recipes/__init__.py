"""Recipes: TOML files that say what figures show, and where they come from. Reading one imports and runs nothing."""

from .fields import SCHEMA, SECTIONS
from .json_schema import json_schema
from .reading import FigureEntry, InputEntry, Recipe, ShotEntry, parse_recipe, read_recipe
from .writing import path_between, write_recipe

__all__ = [
    "SCHEMA",
    "SECTIONS",
    "FigureEntry",
    "InputEntry",
    "Recipe",
    "ShotEntry",
    "json_schema",
    "parse_recipe",
    "path_between",
    "read_recipe",
    "write_recipe",
]
