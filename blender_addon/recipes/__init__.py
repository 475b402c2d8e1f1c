"""Recipes: TOML files that say what figures show, and where they come from. Reading one imports and runs nothing."""

from .fields import SCHEMA, SECTIONS
from .json_schema import json_schema
from .reading import FigureEntry, InputEntry, Recipe, parse_recipe, read_recipe
from .writing import write_recipe

__all__ = [
    "SCHEMA",
    "SECTIONS",
    "FigureEntry",
    "InputEntry",
    "Recipe",
    "json_schema",
    "parse_recipe",
    "read_recipe",
    "write_recipe",
]
