"""`innerwalk render`: runs what a recipe names and writes its figures."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from mathutils import Matrix

from ..blender_addon.layout.camera_presets import OWN_CAMERA
from ..blender_addon.output.figure import render_figure
from ..blender_addon.output.figure_options import FigureOptions, Source, open_source
from ..blender_addon.pages.page_options import PAGE_PRESETS
from ..blender_addon.recipes import FigureEntry, Recipe
from ..blender_addon.scene.state.data_blocks import temporary_data
from ..torch_bridge.recording import ACTIVATIONS, Progress
from ..torch_bridge.recording.errors import InputError, SceneError, UnknownName
from ..torch_bridge.recording.files import failure_text, open_file
from .page_figure import page_options, write_page_figure
from .picture_differences import difference_of
from .progress import ProgressBar


class RecipeRun:
    """A recipe that is being rendered.

    What it shows is opened or recorded when a figure needs it, and each question to a method is asked once.
    """

    def __init__(self, recipe: Recipe, folder: Path, trust: bool) -> None:
        """folder: that of the recipe's file. trust: whether the network may run code of its own. Raises InputError."""
        self.recipe, self.folder, self.trust = recipe, folder.absolute(), trust
        self._shown: dict[Any, Source] = {}
        if self.recipe.network:
            self._spec()  # refuses wrong fields and code before anything is done

    def changed_files(self) -> list[str]:
        """Returns a line on each file that isn't the one of which the recipe states the hash. Raises InputError."""
        return [f"{file.name} is not the file that the recipe was written for" for file in self._changed()]

    def _changed(self) -> Iterator[Path]:
        recipe = self.recipe
        place = self.folder / recipe.recording
        named = [(place if place.suffix == ".blend" else place / "recording.json", recipe.recording_sha256)]
        named.append((self.folder / recipe.network.get("weights", ""), recipe.weights_sha256))
        named += [(self._input_file(entry.source), entry.sha256) for entry in recipe.inputs]
        yield from (file for file, stated in named if stated and sha256(file) != stated)

    def _input_file(self, source: str) -> Path:
        """Returns the file of an input, which may name an array of it: x.npz:key."""
        place = self.folder / source
        return place if place.exists() or ":" not in place.name else place.with_name(place.name.rpartition(":")[0])

    def render(self, out: Path, progress: ProgressBar) -> Iterator[str]:
        """Writes all figures into a folder; yields a line on each. Raises InnerwalkError."""
        if not (count := len(self.recipe.figures)):
            raise InputError("the recipe has no [[figures]]; add one with an output")
        for k, entry in enumerate(self.recipe.figures):
            part = progress.part(k / count, (k + 1) / count)
            notes: list[str] = []
            source = self._source(entry, part)
            target = place_of(out, entry.output)
            if entry.options.get("preset") in PAGE_PRESETS:
                self._write_page(source, target, entry)
            else:
                render_figure(source, target, figure_options(self.recipe, entry), progress=part, on_note=notes.append)
            yield from [*notes, f"saved {target}"]

    def _write_page(self, source: Source | Path, target: Path, entry: FigureEntry) -> None:
        values = stated_options(self.recipe, entry) | ({"channels": entry.channels} if entry.channels else {})
        shown = source.recording if isinstance(source, Source) else source
        beside = [self.folder / name for name in values.pop("beside", ())]
        write_page_figure(shown, target, page_options(values), beside=beside)

    def check(self, out: Path, progress: ProgressBar) -> Iterator[str]:
        """Renders all figures once more beside those of a folder; yields a line on each. Raises SceneError at the end.

        `difference_of` says what counts as the same.
        """
        changed, wrong = self.changed_files(), 0
        yield from changed
        with tempfile.TemporaryDirectory() as folder:
            for _ in self.render(Path(folder), progress):
                pass
            for entry in self.recipe.figures:
                reason = difference_of(out / entry.output, Path(folder) / entry.output)
                wrong += bool(reason)
                yield f"{entry.output}: {reason or 'the same'}"
        if changed or wrong:
            raise SceneError(f"{len(changed)} files and {wrong} of {len(self.recipe.figures)} figures are not the same")

    def _source(self, entry: FigureEntry, progress: Progress) -> Source | Path:
        """Returns what a figure shows, with the look of the recipe."""
        place = self.folder / self.recipe.recording
        is_blend = self.recipe.recording and place.suffix == ".blend"
        if is_blend and entry.options.get("preset") in (OWN_CAMERA, *PAGE_PRESETS):
            return place  # a camera or a hall's own method, blocks and title are in the file
        key: tuple[Any, ...] = (
            entry.method,
            tuple(entry.layers),
            tuple(entry.channels),
            repr(entry.parameters),
            entry.data,
        )
        if self.recipe.recording or entry.method in ("", ACTIVATIONS):
            key = ("",)
        if key not in self._shown:
            self._shown[key] = self._open(entry if len(key) > 1 else None, progress)
        return self._with_moves(self._shown[key])

    def _with_moves(self, shown: Source) -> Source:
        """Returns what is shown, its panels where the recipe moves them. Raises UnknownName."""
        if not (moved := self.recipe.look.get("moved")):
            return shown
        layers = [layer.id for layer in shown.recording.network.folded()[0]]
        if unknown := next((layer for layer in moved if layer not in layers), None):
            raise UnknownName("panel of layer", unknown, layers)
        return replace(shown, moved={layer: Matrix(np.reshape(rows, (4, 4)).tolist()) for layer, rows in moved.items()})

    def _open(self, entry: FigureEntry | None, progress: Progress) -> Source:
        """Opens the recording or hall, or records the network, and asks it what a figure shows."""
        if self.recipe.recording:
            with temporary_data():
                return open_source(self.folder / self.recipe.recording)
        from ..torch_bridge.subject import record_from
        from . import ask

        if entry is None:
            return open_source(record_from(self._spec(), progress))
        texts = {name: str(value) for name, value in entry.parameters.items()}
        data = (Path(entry.data).name, self._path(entry.data)) if entry.data else None
        layers = tuple(entry.layers) or ("panels",)
        question = ask.Question(entry.method, layers, tuple(entry.channels), texts, data)
        return open_source(ask.answer(self._spec(), question, progress))

    def _spec(self) -> Any:
        """Returns the RecordSpec of the network. Raises InputError for code that isn't trusted."""
        from ..torch_bridge.server.config import parse_specs

        fields = dict(self.recipe.network)
        for name in ("weights", "vocabulary", "folder"):
            if isinstance(fields.get(name), str) and fields[name] != "DEFAULT":
                fields[name] = self._path(fields[name])
        if isinstance(fields.get("classes"), str):
            fields["classes"] = self._path(fields["classes"])
        ordered = [self._path(entry.source) for entry in self.recipe.inputs if not entry.argument]
        by_name = {entry.argument: self._path(entry.source) for entry in self.recipe.inputs if entry.argument}
        fields |= ({"inputs": ordered} if ordered else {}) | ({"keywords": by_name} if by_name else {})
        name = fields.get("name", "of the recipe")
        return parse_specs({name: fields}, trust=self.trust)[name]

    def _path(self, text: str) -> str:
        """Returns a place that the recipe names; relative ones are in its folder."""
        from ..torch_bridge.inputs.source_names import PREFIXES

        return text if text.startswith((*PREFIXES, "concepts:")) else str(self.folder / text)


def figure_options(recipe: Recipe, entry: FigureEntry) -> FigureOptions:
    """Returns the options of a figure that is no flat one."""
    return FigureOptions(**stated_options(recipe, entry))


def stated_options(recipe: Recipe, entry: FigureEntry) -> dict[str, Any]:
    """Returns what a figure states itself, else the recipe's look; a scene has its own."""
    is_own = entry.options.get("preset") == OWN_CAMERA
    look = {key: value for key, value in recipe.look.items() if key != "moved" and not is_own}
    stated = {**look, **entry.options} | ({"method": entry.method} if entry.method else {})
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in stated.items()}
    return values | {key: float(values[key]) for key in ("gain", "width") if key in values}


def sha256(file: Path) -> str:
    """Returns the hash of a file's bytes. Raises InputError for one that can't be read."""
    try:
        with open_file(file) as opened:
            digest = hashlib.sha256()
            while part := opened.read(1 << 20):
                digest.update(part)
            return digest.hexdigest()
    except OSError as error:
        raise InputError(f"{file}: can't be read ({failure_text(error)})") from None


def place_of(out: Path, output: str) -> Path:
    """Returns the file of a figure, whose folder is made. Raises SceneError where a link leads out of the folder."""
    out.mkdir(parents=True, exist_ok=True)
    target = out / output
    if not target.parent.resolve().is_relative_to(out.resolve()):
        raise SceneError(f"{target}: a link leads out of {out}; remove it, or name another folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def recipe_of_recording(recording: Path, out: Path | None) -> Recipe:
    """Returns a recipe with an overview of a recording or .blend file, whose path is relative to the recipe's file.

    out: the recipe's file, or None for the current folder. Raises RecordingError or SceneError.
    """
    open_source(recording)
    folder = (out.parent if out is not None else Path()).absolute()
    place = recording.absolute()
    named = place.relative_to(folder) if place.is_relative_to(folder) else place
    file = place if place.suffix == ".blend" else place / "recording.json"
    figures: Sequence[FigureEntry] = (FigureEntry("overview.png", options={"preset": "overview"}),)
    return Recipe(recording=named.as_posix(), recording_sha256=sha256(file), figures=figures)
