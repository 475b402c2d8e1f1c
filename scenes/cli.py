"""The command line: read what was said, call the recipe, turn every expected error into one line."""

from __future__ import annotations

import argparse
import errno
import io
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from ..torch_bridge.recording import Recording
from ..torch_bridge.recording.errors import InnerwalkError
from .arguments import parser
from .interrupt import stoppable, unheard
from .output_files import check_place, discard
from .progress import Progress

FAULT, EXPECTED, STOPPED = 1, 2, 130


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0, 1 a fault of ours, 2 an error a person can mend, 130 stopped."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal may lack ×, and a file's name may be no text
    said = parser().parse_args(words)
    try:
        with stoppable(give_up), Progress(sys.stderr, shown=said.progress or sys.stderr.isatty()) as progress:
            COMMANDS[said.command](said, progress)
        return 0
    except (Exception, KeyboardInterrupt) as error:
        if said.debug:
            raise
        status, line = explain(error)
        print(f"innerwalk: {line}", file=sys.stderr)
        return status


def give_up() -> None:
    """End the process at once, because Blender is at work and can't be asked to stop; nothing is left half-written."""
    discard()
    status, line = explain(KeyboardInterrupt())
    os.write(2, f"\ninnerwalk: {line}\n".encode())
    os._exit(status)


def explain(error: BaseException) -> tuple[int, str]:
    """The exit status and the one line for a person."""
    match error:
        case KeyboardInterrupt():
            return STOPPED, "stopped; what was not finished has not been written"
        case InnerwalkError():
            return EXPECTED, str(error)
        case OSError(errno=errno.ENOSPC):
            return EXPECTED, f"the disk is full{_place(error)}; nothing was left half-written"
        case OSError():
            return EXPECTED, f"{error.strerror or error}{_place(error)}"
        case MemoryError():
            return EXPECTED, "not enough memory; --layers keeps fewer layers, --size makes the input smaller"
    return FAULT, f"a fault in innerwalk, {type(error).__name__}: {error}".splitlines()[0] + " (--debug shows where)"


def _place(error: OSError) -> str:
    return f": {error.filename}" if error.filename else ""


def record(said: argparse.Namespace, progress: Progress) -> None:
    """`innerwalk record`."""
    from ..torch_bridge.recording import save
    from ..torch_bridge.subject import RecordSpec, record_from

    with tempfile.TemporaryDirectory() as scratch:
        recording = record_from(RecordSpec(**said_of_recording(said, Path(scratch))), progress)
    progress("saving", 1.0)
    save(recording, said.output)
    progress.close()
    print(summary(recording))
    print(f"{'saved':<14} {said.output}; next: innerwalk scene {said.output} -o hall.blend")


def ask(said: argparse.Namespace, progress: Progress) -> None:
    """`innerwalk ask`."""
    from ..blender_addon.atomic_files import filled
    from ..torch_bridge.recording import save
    from ..torch_bridge.subject import RecordSpec
    from . import ask as recipe
    from .tables import table

    if said.pictures is not None:
        recipe.check_folder(said.pictures)
    with tempfile.TemporaryDirectory() as scratch:
        spec = RecordSpec(**said_of_recording(said, Path(scratch)))
        layers = tuple(said.about or ("panels",))
        question = recipe.Question(said.method, layers, said.asked, dict(said.settings), said.data, said.device)
        recording = recipe.answer(spec, question, progress)
    made = recipe.maps_of(recording, said.method)
    if said.output is not None:
        save(recording, said.output)
    if said.pictures is not None:
        with filled(said.pictures) as part:
            recipe.write_pictures(part, made, said.asked, progress)
    progress.close()
    print(table(made, said.asked))
    next_ = f"innerwalk figure {said.output} --method {said.method} -o {said.method}.png"
    for what, path in (("pictures", said.pictures), ("saved", said.output and f"{said.output}; next: {next_}")):
        if path is not None:
            print(f"{what:<14} {path}")


def fields_of(form: type) -> set[str]:
    """Names of the fields of a dataclass."""
    return {one.name for one in fields(form)}


def chosen(said: argparse.Namespace, form: type) -> dict[str, Any]:
    """What was said of the fields of a dataclass; lists become tuples, what was not said is left out."""
    names = fields_of(form)
    given = {name: value for name, value in vars(said).items() if name in names and value is not None}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}


def said_of_recording(said: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """Fields of a RecordSpec: what was said, and for a shipped network what comes with it."""
    from ..torch_bridge.concepts import TASKS
    from ..torch_bridge.subject import RecordSpec
    from .shipped import facts_of

    known = chosen(said, RecordSpec)
    for name in {"size", "grid"} & known.keys():
        known[name] = known[name][::-1]  # said as width x height
    ablated: dict[str, tuple[int, ...]] = {}
    for layer, channels in known.get("ablate", ()):
        ablated[layer] = ablated.get(layer, ()) + channels
    known["ablate"] = ablated
    if said.model not in TASKS:
        return known
    shipped = facts_of(said.model, scratch)
    return shipped | known | {name: shipped[name] for name in ("model", "arguments")}


def summary(recording: Recording) -> str:
    """What was recorded, in a few lines."""
    network = recording.network
    size = sum(maps.texels.nbytes for maps in recording.all_maps.values())
    lines = [
        ("network", f"{network.name}, {len(network.layers)} layers, {network.parameters:,} parameters"),
        ("weights", network.weights or ("trained" if network.trained else "random")),
        ("input", recording.input_name),
        ("preprocessing", recording.provenance.get("preprocessing", "unknown")),
        ("recorded", f"maps of {len(recording.all_maps)} layers, {size / 1e6:.1f} MB"),
    ]
    if ablated := recording.provenance.get("ablated"):
        lines.append(("ablated", "; ".join(f"{layer}: {', '.join(map(str, ablated[layer]))}" for layer in ablated)))
    lines += [("answer", f"{share:6.1%}  {name}") for _, name, share in recording.prediction.top[:5]]
    odd = {layer: maps.nonfinite for (layer, _), maps in recording.all_maps.items() if maps.nonfinite}
    if odd:
        lines.append(("warning", f"{sum(odd.values()):,} values are NaN or infinite, first in layer {next(iter(odd))}"))
    return "\n".join(f"{name:<14} {text}" for name, text in lines)


def start_blender() -> None:
    """Load Blender, which ends with a crash where an exception of Python's meets its start."""
    with unheard():
        import bpy  # noqa: F401


def scene(said: argparse.Namespace, progress: Progress) -> None:
    """`innerwalk scene`."""
    start_blender()
    from ..blender_addon.scene.hall.store import Dress
    from ..torch_bridge.recording import load
    from . import scene as recipe
    from .tables import check_method

    check_place(said.output, ".blend")
    recording, dress = load(said.recording), Dress(**chosen(said, Dress))
    check_method(recording, dress.method)
    built = recipe.build(recording, dress, progress=progress)
    recipe.save(built, said.output)
    progress.close()
    print(f"saved {said.output}; open it in Blender, or: innerwalk figure {said.output} -o figure.png")


def figure(said: argparse.Namespace, progress: Progress) -> None:
    """`innerwalk figure`."""
    start_blender()
    from .figure import Order, render_figure

    render_figure(said.source, said.output, Order(**chosen(said, Order)), progress=progress)
    progress.close()
    print(f"saved {said.output}")


def demo(said: argparse.Namespace, progress: Progress) -> None:
    """`innerwalk demo`: a network that comes with innerwalk, on its own picture."""
    start_blender()
    from ..torch_bridge.recording import save
    from ..torch_bridge.subject import RecordSpec, record_from
    from . import scene as recipe
    from .figure import render_figure
    from .shipped import DEFAULT, facts_of

    folder = said.output
    folder.mkdir(parents=True, exist_ok=True)
    recording = record_from(RecordSpec(**facts_of(DEFAULT, folder)), progress.part(0.0, 0.15))
    save(recording, folder / "hall")
    recipe.save(recipe.build(recording, progress=progress.part(0.15, 0.3)), folder / "hall.blend")
    render_figure(recording, folder / "hall.png", progress=progress.part(0.3, 1.0))
    progress.close()
    print(summary(recording))
    print(
        f"made           {folder}/hall.png (look), {folder}/hall.blend (open in Blender), {folder}/hall (the recording)"
    )


def serve(said: argparse.Namespace, progress: Progress) -> None:
    """`innerwalk serve`."""
    from ..torch_bridge.server.arguments import order_arguments
    from ..torch_bridge.server.config import order_of
    from ..torch_bridge.server.start import joinable, welcome

    order = order_of(**order_arguments(said))
    with joinable(order, said.connection, progress) as server:
        progress.close()
        print(welcome(order, server, said.connection), flush=True)
        server.serve_forever()


def methods(said: argparse.Namespace, progress: Progress) -> None:
    """`innerwalk methods`."""
    from ..torch_bridge.methods import METHODS, sheet

    print("\n\n".join(map(sheet, METHODS.values())))


def doctor(said: argparse.Namespace, progress: Progress) -> None:
    """`innerwalk doctor`."""
    from .doctor import examine

    for finding in examine():
        print(finding)


COMMANDS: dict[str, Callable[[argparse.Namespace, Progress], None]] = {
    "record": record,
    "ask": ask,
    "scene": scene,
    "figure": figure,
    "serve": serve,
    "methods": methods,
    "doctor": doctor,
    "demo": demo,
}
