"""`innerwalk render` and `innerwalk figure`: runs what a recipe names and writes its figures.

Blender is loaded only for what needs it: flat figures of recordings don't.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..blender_addon.layout.camera_presets import OWN_CAMERA
from ..blender_addon.pages.page_options import PAGE_PRESETS
from ..blender_addon.recipes import FigureEntry, Recipe
from ..torch_bridge.recording import ACTIVATIONS, Progress, Recording, load
from ..torch_bridge.recording.errors import InputError, SceneError, UnknownName
from ..torch_bridge.recording.files import failure_text, open_file
from .interrupt import start_blender
from .page_files.page_figure import page_options, refuse_page_options, write_page_figure
from .progress import ProgressBar

if TYPE_CHECKING:
    from ..blender_addon.output.figure_options import Source


class RecipeRun:
    """A recipe that is being rendered.

    What it shows is opened or recorded when a figure needs it, and each question to a method is asked once.
    """

    def __init__(self, recipe: Recipe, folder: Path, trust: bool) -> None:
        """folder: that of the recipe's file. trust: whether the network may run code of its own. Raises InputError."""
        self.recipe, self.folder, self.trust = recipe, folder.absolute(), trust
        self._shown: dict[Any, Recording | Source] = {}
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
            shown = self._source(entry, part)
            target = place_of(out, entry.output)
            yield from self._write(entry, shown, target, part)

    def write(self, entry: FigureEntry, target: Path, progress: Progress) -> list[str]:
        """Writes a figure to a file in a folder that exists; returns lines on it. Raises InnerwalkError."""
        return self._write(entry, self._source(entry, progress), target, progress)

    def _write(
        self, entry: FigureEntry, shown: Recording | Source | Path, target: Path, progress: Progress
    ) -> list[str]:
        notes: list[str] = []
        values = stated_options(self.recipe, entry)
        channels = {"channels": entry.channels} if entry.channels else {}
        if _is_flat(entry):
            beside = [self.folder / name for name in values.pop("beside", ())]
            scene = values.pop("scene", None)
            recording = shown if isinstance(shown, Recording | Path) else shown.recording
            write_page_figure(recording, target, page_options(values | channels), beside=beside, scene=scene)
        else:
            refuse_page_options(values | (channels if self.recipe.recording else {}))
            start_blender()
            from ..blender_addon.output.figure import render_figure
            from ..blender_addon.output.figure_options import FigureOptions

            source = self._with_moves(shown)
            render_figure(source, target, FigureOptions(**values), progress=progress, on_note=notes.append)
        return [*notes, f"saved {target}"]

    def check(self, out: Path, progress: ProgressBar) -> Iterator[str]:
        """Renders all figures once more beside those of a folder; yields a line on each. Raises SceneError at the end.

        `difference_of` says what counts as the same.
        """
        start_blender()
        from .picture_differences import difference_of

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

    def shown(self, progress: Progress) -> Source:
        """Opens or records what the recipe shows, with its moved panels, once. Raises InnerwalkError."""
        start_blender()
        from ..blender_addon.output.figure_options import open_source

        return open_source(self._with_moves(self._source(FigureEntry(""), progress)))

    def _source(self, entry: FigureEntry, progress: Progress) -> Recording | Source | Path:
        """Returns what a figure shows."""
        place = self.folder / self.recipe.recording
        is_blend = self.recipe.recording and place.suffix == ".blend"
        if is_blend and (_is_flat(entry) or entry.options.get("preset") == OWN_CAMERA):
            start_blender()
            return place  # a camera or a hall's own method, blocks and title are in the file
        key: tuple[Any, ...] = (
            entry.method,
            tuple(entry.layers),
            tuple(entry.channels),
            repr(entry.parameters),
            entry.data,
        )
        if self.recipe.recording or entry.method in ("", ACTIVATIONS):
            key = ("", entry.options.get("scene"))
        if key not in self._shown:
            self._shown[key] = self._open_recording(key[1], progress) if key[0] == "" else self._ask(entry, progress)
        return self._shown[key]

    def _with_moves(self, shown: Recording | Source | Path) -> Recording | Source | Path:
        """Returns what is shown, its panels where the recipe moves them. Raises UnknownName."""
        moved = self.recipe.look.get("moved")
        if not moved or isinstance(shown, Path):
            return shown
        from mathutils import Matrix

        from ..blender_addon.output.figure_options import open_source

        shown = open_source(shown)
        layers = [layer.id for layer in shown.recording.network.folded()[0]]
        if unknown := next((layer for layer in moved if layer not in layers), None):
            raise UnknownName("panel of layer", unknown, layers)
        return replace(shown, moved={layer: Matrix(np.reshape(rows, (4, 4)).tolist()) for layer, rows in moved.items()})

    def _open_recording(self, scene: str | None, progress: Progress) -> Recording | Source:
        """Opens the recording or hall, or records the network."""
        place = self.folder / self.recipe.recording
        if not self.recipe.recording:
            from ..torch_bridge.subject import record_from

            return record_from(self._spec(), progress)
        return open_hall(place, scene) if place.suffix == ".blend" else load(place)

    def _ask(self, entry: FigureEntry, progress: Progress) -> Recording:
        """Asks the network what a figure shows."""
        from . import ask

        texts = {name: str(value) for name, value in entry.parameters.items()}
        data = (Path(entry.data).name, self._path(entry.data)) if entry.data else None
        layers = tuple(entry.layers) or ("panels",)
        question = ask.Question(entry.method, layers, tuple(entry.channels), texts, data)
        return ask.answer(self._spec(), question, progress)

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


def open_hall(file: Path, scene: str | None = None) -> Source:
    """Opens a hall of a .blend file, by scene name or the first. Raises SceneError."""
    start_blender()
    from ..blender_addon.output.figure_options import open_source
    from ..blender_addon.scene.state.data_blocks import temporary_data

    with temporary_data():
        return open_source(file, scene)


def _is_flat(entry: FigureEntry) -> bool:
    return entry.options.get("preset") in PAGE_PRESETS


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
    target = out / output
    _make_folder(out)
    if not target.parent.resolve().is_relative_to(out.resolve()):
        raise SceneError(f"{target}: a link leads out of {out}; remove it, or name another folder")
    _make_folder(target.parent)
    return target


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise SceneError(f"{folder}: it is a file, or in one; a folder is needed") from None
    except OSError as error:
        raise SceneError(f"{folder}: the folder can't be made ({error.strerror}); choose another") from None


def recipe_of_recording(recording: Path, out: Path | None) -> Recipe:
    """Returns a recipe with an overview of a recording or .blend file, whose path is relative to the recipe's file.

    out: the recipe's file, or None for the current folder. Raises RecordingError or SceneError.
    """
    if recording.suffix == ".blend":
        open_hall(recording)
    else:
        load(recording)
    folder = (out.parent if out is not None else Path()).absolute()
    place = recording.absolute()
    named = place.relative_to(folder) if place.is_relative_to(folder) else place
    file = place if place.suffix == ".blend" else place / "recording.json"
    figures: Sequence[FigureEntry] = (FigureEntry("overview.png", options={"preset": "overview"}),)
    return Recipe(recording=named.as_posix(), recording_sha256=sha256(file), figures=figures)
