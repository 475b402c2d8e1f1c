"""Small films: a recipe beside a recording, and the pixels of frames that were rendered."""

import re
from pathlib import Path

import numpy as np
from PIL import Image

FRAMES = 6
"""Frames of the film."""
SIZE = (96, 64)


def write_film_recipe(recorded: Path, output: str = "walk.mp4", seconds: float = 1.0, **film: object) -> Path:
    """Writes a recipe of a film with FRAMES frames a second beside a recording."""
    stated = {"size": list(SIZE), "rate": FRAMES, "passes": 1, **film}
    keys = "".join(f"{key} = {str(value).lower()}\n" for key, value in stated.items())
    path = recorded.parent / "film.toml"
    path.write_text(
        f'schema = 1\nrecording = "{recorded.name}"\n[film]\noutput = "{output}"\n{keys}'
        f'[[shots]]\nkind = "orbit"\nseconds = {seconds}\ntitle = "Tiny"\n'
    )
    return path


def errors_of(said: str) -> list[str]:
    """The lines of standard error that tell no progress, which slow machines do."""
    return [line for line in said.splitlines() if not re.match(r"innerwalk: +\d+%  ", line)]


def film_pixels(folder: Path) -> list[np.ndarray]:
    """The frames of a folder, in order, (H, W, 4) uint8 each."""
    pictures = []
    for path in sorted(folder.glob("[0-9]*.png")):
        with Image.open(path) as image:
            pictures.append(np.asarray(image))
    return pictures


def same_film(first: Path, second: Path, count: int = FRAMES) -> bool:
    """Whether two folders have so many frames with the same pixels."""
    pairs = film_pixels(first), film_pixels(second)
    return len(pairs[0]) == len(pairs[1]) == count and all(map(np.array_equal, *pairs))
