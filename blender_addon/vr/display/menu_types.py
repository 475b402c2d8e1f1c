"""Data of a menu page: its title and its items, with the functions that they run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

import bpy

from ..landmarks import Landmark


class Walker(Protocol):
    """The walk, as far as menu items change it; `walk.Walk` implements it."""

    landmarks: list[Landmark]
    landmark_index: int

    def go_to(self, index: int) -> str:
        """Stands at a landmark; returns its name."""

    def go_to_label(self, name: str) -> str:
        """Stands before the next channel with a label, which is selected."""

    def close_menu(self) -> str:
        """Closes the menu."""

    def leave(self) -> str:
        """Ends the walk."""

    def take_picture(self) -> str:
        """Keeps a small picture of what the walker sees."""

    def render_pictures(self) -> str:
        """Renders the pictures that were taken in full size."""

    def start_export(self, directory: Path) -> str:
        """Starts to export the hall."""


class Item(NamedTuple):
    """An item of the menu. It opens a page, edits the hall or acts on the walk; one without any of them is a note."""

    label: str
    opens: str = ""
    """Name of the page that it opens."""
    edit: Callable[[bpy.types.Scene], str] | None = None
    """Changes the hall, as one step of undo; returns a message."""
    act: Callable[[Walker], str] | None = None
    """Acts on the walk; returns a message."""
    on: bool = False
    """Whether it is the hall's setting now."""
    enabled: bool = True
    closes: bool = False
    """Whether the menu closes after an edit, as what follows is done in the hall."""


class Page(NamedTuple):
    """One page of the menu."""

    title: str
    items: tuple[Item, ...]
