"""The recipe of `innerwalk ask`: a method runs in this process, and what it says is told, drawn and kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..blender_addon.imaging import channel_images, png
from ..blender_addon.imaging.channel_images import Look
from ..blender_addon.imaging.filenames import file_names
from ..torch_bridge.concepts import TASKS
from ..torch_bridge.data import DataSet, open_data
from ..torch_bridge.methods import Method, chosen, form
from ..torch_bridge.models.device import choose_device
from ..torch_bridge.predictions.class_names import ClassNames
from ..torch_bridge.recording import Maps, Recording
from ..torch_bridge.recording.errors import SceneError, UnknownName
from ..torch_bridge.server.ask import answered, named
from ..torch_bridge.server.loaded_model import Live
from ..torch_bridge.server.priority_lock import Turns
from ..torch_bridge.subject import RecordSpec
from . import tables

Progress = Callable[[str, float], None]
LOADED = 0.1
"""Share of the work that loading the network is."""
OF_CLASS = "of_class"
"""What methods call the parameter that is the number of a class; here it may be said by name."""


class Question(NamedTuple):
    """What is asked of a network."""

    method: str
    layers: tuple[str, ...] = ("panels",)
    channels: tuple[int, ...] = ()
    settings: Mapping[str, str] = {}
    """Parameters as a person writes them."""
    data: tuple[str, str] | None = None
    """Name and place of a data set."""
    device: str = ""


def answer(spec: RecordSpec, question: Question, progress: Progress) -> Recording:
    """Load the network, let it look, ask. What is wrong with the question is said before anything is loaded.

    Raises UnknownName, InputError or ModelError.
    """
    method = named(question.method)
    parameters = chosen(method, read_settings(method, question.settings))
    data = _data(spec, method, question)
    progress(f"loading {spec.model}", 0.0)
    live = Live(spec.name or spec.model, spec, choose_device(question.device), Turns())
    if OF_CLASS in question.settings:
        parameters = chosen(method, read_settings(method, question.settings, live.subject.names))
    inputs = live.read(live.first, spec.index)
    return answered(
        live, inputs, method, question.layers, question.channels, parameters, data,
        lambda step: progress(step.told, LOADED + (1 - LOADED) * step.share),
    )  # fmt: skip


def _data(spec: RecordSpec, method: Method, question: Question) -> DataSet | None:
    """The data set that is named, else, where one is needed, the pictures that a shipped network was trained on."""
    if question.data is not None:
        return open_data(question.data[1], question.data[0])
    task = spec.arguments.get("task")
    return open_data(f"concepts:{task}", task) if method.needs == "data" and task in TASKS else None


def read_settings(
    method: Method, settings: Mapping[str, str], names: ClassNames | None = None
) -> dict[str, Any]:  # fmt: skip
    """Values of what a person wrote; what can't be read stays a text, which `chosen` complains about.

    names: of the classes, once they are known; before, any name will do.
    """
    kinds = {field["name"]: field["kind"] for field in form(method)}
    found = {name: _read(kinds.get(name, "str"), text) for name, text in settings.items()}
    if isinstance(told := found.get(OF_CLASS), str) and kinds.get(OF_CLASS) == "int":
        found[OF_CLASS] = 0 if names is None else _class(told, names)
    return found


def _read(kind: str, text: str) -> Any:
    try:
        return READERS.get(kind, str)(text)
    except (ValueError, KeyError):
        return text


BOOLS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
READERS: dict[str, Callable[[str], Any]] = {"int": int, "float": float, "bool": BOOLS.__getitem__}


def _class(name: str, names: ClassNames) -> int:
    if name not in names.names:
        raise UnknownName("class", name, names.names)
    return names.names.index(name)


def maps_of(recording: Recording, method: str) -> list[Maps]:
    """What the method said, by layer in order of execution."""
    found = {layer: maps for (layer, how), maps in recording.all_maps.items() if how == method}
    return [found[layer.id] for layer in recording.network.layers if layer.id in found]


def check_folder(path: Path) -> None:
    """Raise one line where pictures can't be put, before any work is done. Raises SceneError."""
    if path.exists():
        raise SceneError(f"{path}: is there already; name a new folder for the pictures")
    if not path.parent.is_dir():
        raise SceneError(f"{path.parent}: no such folder; make it first, or choose another place for {path.name}")


def write_pictures(folder: Path, made: Sequence[Maps], channels: Sequence[int], progress: Progress) -> None:
    """Fill an empty folder: `LAYER.png` with all channels side by side, `LAYER/0003.png` for each that was made.

    In the colours of the dark hall, 8 bits. Raises OSError.
    """
    look, names = Look("dark", "signed", 1.0), file_names(maps.layer for maps in made)
    for done, maps in enumerate(made):
        progress(f"pictures of {maps.layer}", done / len(made))
        scales, inner = maps.peak, folder / names[maps.layer]
        (folder / f"{names[maps.layer]}.png").write_bytes(b"".join(channel_images.sheet_file(maps, scales, look)))
        inner.mkdir()
        for channel in tables.told(maps, channels):
            pixels = channel_images.tile(maps, channel, float(scales[channel]), look)
            (inner / f"{channel:04d}.png").write_bytes(png.whole(pixels))
