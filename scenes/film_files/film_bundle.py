"""What a process or another machine needs to render a film: a recipe without a network, and files by hash."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import cast

from ...torch_bridge.recording.errors import InnerwalkError, InputError, SceneError
from ...torch_bridge.recording.files import failure_text, open_file
from ...torch_bridge.recording.series_writing import DATA_NAMES
from ...torch_bridge.recording.writing import DOCUMENT, SERIES_DOCUMENT

RECIPE = "film.toml"
Link = Callable[[Path, Path], object]
MAX_FILES = 300_000
"""Files of a folder: a series may have two for each of its entries."""


@dataclass(frozen=True)
class FilmBundle:
    """A film's recipe and the files that it names, which can be anywhere."""

    recipe: str
    """TOML text whose paths are relative to the bundle's folder."""
    files: Mapping[str, Path]
    """Where each file is, by its path in the bundle."""
    hashes: Mapping[str, str]
    """SHA-256 of each file, by its path in the bundle."""

    @property
    def film(self) -> str:
        """The hash of all that the film shows."""
        return hashlib.sha256(json.dumps([self.recipe, sorted(self.hashes.items())]).encode()).hexdigest()


def bundle_files(recipe: str, named: Mapping[str, Path]) -> FilmBundle:
    """Returns the bundle of a recipe and what it names: files and folders by path in the bundle. Raises InputError.

    Of a folder only files that a recording or a series may have are taken, whatever else lies there.
    """
    files: dict[str, Path] = {}
    for name, place in named.items():
        files |= {f"{name}/{path.name}": path for path in _own_files(place)} if place.is_dir() else {name: place}
    return FilmBundle(recipe, files, {name: hash_file(path) for name, path in files.items()})


def _own_files(folder: Path) -> list[Path]:
    """Returns the files of a recording or a series, without others that lie beside them, such as a film's frames."""
    names = sorted(islice((path.name for path in folder.iterdir() if _is_own(path.name)), MAX_FILES + 1))
    if not {DOCUMENT, SERIES_DOCUMENT} & {*names}:
        raise InputError(f"{folder}: no recording or series is in this folder; innerwalk record makes one")
    if len(names) > MAX_FILES:
        raise InputError(f"{folder}: more than {MAX_FILES:,} files; a recording or a series is needed")
    return [folder / name for name in names]


def _is_own(name: str) -> bool:
    return name in (DOCUMENT, SERIES_DOCUMENT) or any(own.fullmatch(name) for own in DATA_NAMES)


def hash_file(path: Path) -> str:
    """Returns the SHA-256 of a file. Raises InputError where it can't be read."""
    try:
        with open_file(path) as file:
            return hashlib.file_digest(cast(BufferedReader, file), "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: can't be read ({failure_text(error)})") from None


@contextmanager
def original_names(bundle: FilmBundle, folder: Path) -> Iterator[None]:
    """Names files as they are called where they came from in errors about a bundle that is laid out in a folder."""
    places = {name.split("/")[0]: path.parent if "/" in name else path for name, path in bundle.files.items()}
    try:
        yield
    except InnerwalkError as error:
        text = str(error)
        for name, place in places.items():
            text = text.replace(str(folder / name), str(place))
        error.args = (text,)
        raise


def unpack(bundle: FilmBundle, stored: Mapping[str, Path], folder: Path, link: Link = os.symlink) -> Path:
    """Lays a bundle out in a folder, as links where the disk has them; returns the recipe's file.

    stored: where each file is, by its hash. link: makes one from the first place at the second. Raises SceneError.
    """
    try:
        for name, digest in bundle.hashes.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            _link_or_copy(stored[digest], target, link)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / RECIPE).write_text(bundle.recipe, encoding="utf-8")
    except OSError as error:
        raise SceneError(f"{folder}: the film can't be laid out here ({error.strerror})") from None
    return folder / RECIPE


def _link_or_copy(source: Path, target: Path, link: Link) -> None:
    if target.exists():
        return
    try:
        link(source.resolve(), target)
    except OSError:  # a disk or system without links
        part = target.with_name(f".{target.name}")
        shutil.copyfile(source, part)
        part.replace(target)
