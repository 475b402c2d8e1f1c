"""Reads recipes: everything that is wrong is reported at once, each with its line, its key and what is allowed."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from ...torch_bridge.recording.errors import InputError, nearest
from ...torch_bridge.recording.files import failure_text, read_file
from ..films.film import FILM_ENDINGS, SHOT_KINDS
from ..pages.page_options import PAGE_PRESETS
from .fields import REPEATED, SCHEMA, SECTIONS, RecipeField
from .key_lines import KeyPath, find_key_lines, line_of

MAX_OUTPUT, MAX_PARTS = 200, 8
"""Characters and parts of an output's name."""
FLAT_ENDINGS = (".png", ".svg", ".pdf")
MAX_SIZE = 1 << 18
"""Bytes of a recipe."""
MAX_POINTS = 64
"""Points on a line: Python's parser takes time with the square of a key's names."""
MAX_ENTRIES = 1000
"""Tables of a list of tables."""
MAX_FOUND, MAX_TOLD = 100, 8
"""Errors that are looked for, and that are reported."""
OF_KINDS = {
    "layer": ("orbit", "dolly", "follow", "series"),
    "channel": ("dolly", "follow"),
    "beside": ("split", "camera"),
    "pictures": ("follow",),
    "first": ("series",),
    "last": ("series",),
}
"""Keys of shots that only some kinds have."""
NEEDED = {"layer": ("follow",), "beside": ("split",)}
"""Keys that some kinds of shots need."""
Found = tuple[KeyPath, str]
"""Where something is wrong, and what."""


@dataclass(frozen=True)
class InputEntry:
    """An input of the network."""

    source: str
    argument: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class FigureEntry:
    """A picture to be made."""

    output: str
    """Relative path under the output folder."""
    method: str = ""
    layers: Sequence[str] = ()
    channels: Sequence[int] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    data: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Further keys of the section, such as preset and size."""


@dataclass(frozen=True)
class ShotEntry:
    """A shot of the recipe's film."""

    kind: str
    beside: str = ""
    """Recording on the right of a split shot; of shots of kind camera, a .blend file."""
    pictures: Sequence[str] = ()
    """Recordings with pictures of the channel that is followed."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Further keys of the section, such as seconds and title."""


@dataclass(frozen=True)
class Recipe:
    """What figures and a film show, and where they come from: a recording or hall, or a network with its inputs."""

    recording: str = ""
    recording_sha256: str = ""
    network: Mapping[str, Any] = field(default_factory=dict)
    """Keys of the section [network] but its hash; empty where a recording is named."""
    weights_sha256: str = ""
    inputs: Sequence[InputEntry] = ()
    look: Mapping[str, Any] = field(default_factory=dict)
    figures: Sequence[FigureEntry] = ()
    film: Mapping[str, Any] = field(default_factory=dict)
    """Keys of the section [film]; empty without a film."""
    shots: Sequence[ShotEntry] = ()


def read_recipe(path: Path) -> Recipe:
    """Reads a recipe from a file. Raises InputError."""
    try:
        text = read_file(path, MAX_SIZE).decode("utf-8")
    except OSError as error:
        raise InputError(f"{path}: can't be read ({failure_text(error)})") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a text in UTF-8") from None
    return parse_recipe(text, str(path))


def parse_recipe(text: str, where: str = "recipe") -> Recipe:
    """Parses a recipe's text. Raises InputError, which names all that is wrong by line and key."""
    if long := next((k for k, line in enumerate(text.split("\n"), 1) if line.count(".") > MAX_POINTS), 0):
        raise InputError(f"{where}: line {long}: more than {MAX_POINTS} points; write it over several lines")
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise InputError(f"{where}: not TOML ({str(error) or 'too deep'})") from None
    newest = document.get("schema")
    if type(newest) is int and newest > SCHEMA:
        raise InputError(f"{where}: its schema is newer than the one that this Innerwalk reads, {SCHEMA}; update it")
    if found := list(islice(_wrong(document), MAX_FOUND)):
        lines = find_key_lines(text)
        wrong = sorted((line_of(lines, path), _name(path), what) for path, what in found)
        rest = f"; and {len(wrong) - MAX_TOLD} more" if len(wrong) > MAX_TOLD else ""
        raise InputError(f"{where}: " + "; ".join(f"line {k}: {n}: {what}" for k, n, what in wrong[:MAX_TOLD]) + rest)
    return _recipe(document)


def _name(path: KeyPath) -> str:
    """A key for people: figures 2, preset."""
    parts = [str(part + 1) if isinstance(part, int) else part[:60] for part in path]
    return " ".join(parts) or "the recipe"


def _wrong(document: Mapping[str, Any]) -> Iterator[Found]:
    sections = [name for name in SECTIONS if name]
    top = {key: value for key, value in document.items() if key not in sections}
    yield from _wrong_keys((), top, SECTIONS[""], sections)
    for name in sections:
        entries = document.get(name, [] if name in REPEATED else {})
        if name not in REPEATED:
            if not isinstance(entries, dict):
                yield (name,), f"write it as a table, [{name}]"
            elif name in document:
                yield from _wrong_keys((name,), entries, SECTIONS[name])
        elif not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            yield (name,), f"write it as tables, [[{name}]]"
        elif len(entries) > MAX_ENTRIES:
            yield (name,), f"{len(entries):,} tables; at most {MAX_ENTRIES:,}"
        else:
            for k, entry in enumerate(entries):
                yield from _wrong_keys((name, k), entry, SECTIONS[name])
    yield from _wrong_together(document)


def _wrong_keys(
    path: KeyPath, table: Mapping[str, Any], fields: Mapping[str, RecipeField], sections: Sequence[str] = ()
) -> Iterator[Found]:
    for key, value in table.items():
        if key not in fields:
            known = [*fields, *sections]
            yield (*path, key), f"no such key; {nearest(key, known) or 'there are ' + ', '.join(known)}"
        elif not fields[key].kind.fits(value):
            hint = nearest(value, fields[key].kind.choices) if isinstance(value, str) else ""
            yield (*path, key), f"{fields[key].kind.wanted} is needed{'; ' + hint if hint else ''}"
    for key in (key for key, found in fields.items() if found.is_needed and key not in table):
        yield path, f"{key} is missing, such as {key} = {fields[key].example}"


def _wrong_together(document: Mapping[str, Any]) -> Iterator[Found]:
    """What is wrong with keys that are right each by itself."""
    if ("recording" in document) == ("network" in document):
        yield (), "either recording or [network] is needed"
    if "recording" in document and document.get("inputs"):
        yield ("inputs",), "a recording has its inputs; name a [network] instead"
    network = document.get("network")
    if isinstance(network, dict) and "weights_sha256" in network and "weights" not in network:
        yield ("network", "weights_sha256"), "it belongs to weights, which is missing"
    yield from _wrong_film(document)
    figures = document.get("figures")
    seen: set[PurePosixPath] = set()
    for k, entry in enumerate(figures if isinstance(figures, list) else []):
        output = entry.get("output") if isinstance(entry, dict) else None
        if not isinstance(output, str):
            continue
        endings = FLAT_ENDINGS if entry.get("preset") in PAGE_PRESETS else (".png",)
        if not stays_inside(output) or not output.endswith(endings):
            yield ("figures", k, "output"), f"a file under the output folder is needed, {' or '.join(endings)}"
            continue
        path = PurePosixPath(output)
        if path in seen or any(other in path.parents or path in other.parents for other in seen):
            yield ("figures", k, "output"), f"{output[:60]} is the output of two figures, or a folder of one"
        seen.add(path)


def _wrong_film(document: Mapping[str, Any]) -> Iterator[Found]:
    """What is wrong with a film and its shots together."""
    film, shots = document.get("film"), document.get("shots", [])
    output = film.get("output") if isinstance(film, dict) else None
    if isinstance(film, dict) and not shots:
        yield ("film",), 'a film has shots: add [[shots]] with kind = "tour"'
    if shots and film is None:
        yield ("shots",), 'shots belong to a film: add [film] with output = "film.mp4"'
    if isinstance(output, str) and not (stays_inside(output) and PurePosixPath(output).suffix in FILM_ENDINGS):
        yield (
            ("film", "output"),
            f"a file under the output folder is needed, {', '.join(FILM_ENDINGS[:-1])} or a folder",
        )
    if isinstance(output, str) and (shared := _shared_places(output, _tables(document, "figures"))):
        yield ("film", "output"), f"{shared[0][:60]} is the output of a figure too"
    yield from _wrong_shots(document, isinstance(film, dict) and film.get("panorama") is True)


def _shared_places(output: str, figures: Sequence[Any]) -> list[str]:
    """Returns those of a film's file, its folder of frames and its poster that figures would be written to."""
    film = PurePosixPath(output)
    if not film.name:
        return []
    places = [film, *(film.with_name(f"{film.stem}_{name}") for name in ("frames", "poster.png") if film.suffix)]
    named = [entry["output"] for entry in figures if isinstance(entry, dict) and isinstance(entry.get("output"), str)]
    written = {place for name in named for place in (PurePosixPath(name), *PurePosixPath(name).parents)}
    return [str(place) for place in places if place in written]


def _wrong_shots(document: Mapping[str, Any], is_panorama: bool) -> Iterator[Found]:
    """What is wrong with the keys of shots together, and with shots of a 360° film."""
    for k, entry in enumerate(_tables(document, "shots")):
        kind = entry.get("kind") if isinstance(entry, dict) else None
        if is_panorama and isinstance(entry, dict) and (kind == "split" or "beside" in entry):
            yield ("shots", k, "kind"), "a 360° film is all around one hall; leave out panorama, or the split"
        for key, kinds in OF_KINDS.items():
            if isinstance(kind, str) and kind in SHOT_KINDS and key in entry and kind not in kinds:
                yield ("shots", k, key), f"it belongs to {' and '.join(kinds)}, not to {kind}"
        for key in (key for key, kinds in NEEDED.items() if kind in kinds and key not in entry):
            yield ("shots", k), f"{kind} needs {key}, such as {key} = {SECTIONS['shots'][key].example}"


def _tables(document: Mapping[str, Any], name: str) -> list[Any]:
    """Returns the tables of a list of tables, as far as it is one."""
    entries = document.get(name)
    return entries[:MAX_ENTRIES] if isinstance(entries, list) else []


def stays_inside(output: str) -> bool:
    """Returns whether a path, of any system, stays in the folder that it is relative to, and can be made there."""
    paths = (PurePosixPath(output), PureWindowsPath(output))
    leaves = any(path.is_absolute() or path.drive or ".." in path.parts for path in paths)
    return not leaves and len(output) <= MAX_OUTPUT and 0 < len(paths[0].parts) <= MAX_PARTS


def _recipe(document: Mapping[str, Any]) -> Recipe:
    network = dict(document.get("network", {}))
    named = ("output", "method", "layers", "channels", "parameters", "data")
    figures = [
        FigureEntry(
            **{key: value for key, value in entry.items() if key in named},
            options={key: value for key, value in entry.items() if key not in named},
        )
        for entry in document.get("figures", [])
    ]
    return Recipe(
        document.get("recording", ""),
        document.get("recording_sha256", ""),
        {key: value for key, value in network.items() if key != "weights_sha256"},
        network.get("weights_sha256", ""),
        tuple(InputEntry(**entry) for entry in document.get("inputs", [])),
        document.get("look", {}),
        tuple(figures),
        document.get("film", {}),
        tuple(_shot(entry) for entry in document.get("shots", [])),
    )


def _shot(entry: Mapping[str, Any]) -> ShotEntry:
    named = {key: entry[key] for key in ("kind", "beside", "pictures") if key in entry}
    return ShotEntry(**named, options={key: value for key, value in entry.items() if key not in named})
