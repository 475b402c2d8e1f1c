"""Entry point of the command line: parses arguments, runs a command, prints expected errors as one line."""

from __future__ import annotations

import argparse
import errno
import io
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from ..blender_addon.output.output_files import check_place, discard
from ..torch_bridge.recording.errors import InnerwalkError, InputError, as_line, message_of
from . import recipe_commands, series_command
from .interrupt import start_blender, stoppable
from .options.argument_values import record_fields, set_fields
from .options.parser import parser
from .output_streams import tolerant_output
from .progress import ProgressBar
from .recording_summary import summarise
from .window import window_commands

FAULT, EXPECTED, STOPPED = 1, 2, 130
"""Exit statuses: a bug of innerwalk, an error the user can fix, interrupted."""
NEEDED = {
    "torch": "PyTorch (torch)",
    "bpy": "Blender as a module (bpy)",
    "PIL": "Pillow (PIL)",
    "numpy": "NumPy (numpy)",
    "reportlab": "reportlab, which writes PDF files (pip install 'innerwalk[pdf]')",
}
"""Modules that some commands need, as a person calls them."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status: 0, FAULT, EXPECTED or STOPPED."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # The terminal's encoding may lack ×, and file names may not be valid text.
        sys.stdout.reconfigure(errors="replace")
    with tolerant_output() as output:
        status = _run_command(parser().parse_args(argv))
        output.flush()
        if output.error is None or isinstance(output.error, BrokenPipeError):  # `| head -1` has read enough
            return status
        print(f"innerwalk: standard output can't be written ({output.error}); the work is done", file=sys.stderr)
        return status or EXPECTED


def _run_command(options: argparse.Namespace) -> int:
    try:
        _refuse_null_characters(options)
        with stoppable(give_up), ProgressBar(sys.stderr, shown=options.progress or sys.stderr.isatty()) as progress:
            COMMANDS[options.command](options, progress)
        return 0
    except (Exception, KeyboardInterrupt) as error:
        if options.debug:
            raise
        status, line = explain(error)
        print(as_line(f"innerwalk: {line}"), file=sys.stderr)
        return status


def _refuse_null_characters(options: argparse.Namespace) -> None:
    """Raises InputError for a text with a null character, which no file, module or network has in its name."""
    for name, value in vars(options).items():
        texts = value if isinstance(value, list | tuple) else [value]
        if any(isinstance(text, str | Path) and "\0" in str(text) for text in texts):
            raise InputError(f"{name} has a null character in it; no file or network has one in its name")


def run() -> None:
    """Runs one command and ends the process with its exit status."""
    status = main()
    if sys.modules.get("bpy"):
        _leave_blender(status)
    sys.exit(status)


def _leave_blender(status: int) -> None:
    """Ends the process without the destructors of Blender's module: in Blender 4.5 they now and then wait forever."""
    import bpy

    shutil.rmtree(bpy.app.tempdir, ignore_errors=True)
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os._exit(status)


def give_up() -> None:
    """Removes unfinished files and exits at once; used when Blender is busy and can't be interrupted."""
    discard()
    status, line = explain(KeyboardInterrupt())
    clear = "\r\x1b[K" if os.isatty(2) else ""  # the progress bar, which stands on the line
    os.write(2, f"{clear}innerwalk: {line}\n".encode())
    os._exit(status)


def explain(error: BaseException) -> tuple[int, str]:
    """Returns the exit status and the one-line message for an error."""
    match error:
        case KeyboardInterrupt(args=(str(line),)):
            return STOPPED, line
        case KeyboardInterrupt():
            return STOPPED, "stopped; unfinished files were removed"
        case InnerwalkError():
            return EXPECTED, str(error)
        case OSError(errno=errno.ENOSPC):
            return EXPECTED, f"the disk is full{_place(error)}; nothing was left half-written"
        case OSError():
            return EXPECTED, f"{error.strerror or error}{_place(error)}"
        case ImportError(name=str(missing)) if missing.partition(".")[0] in NEEDED:
            missing = missing.partition(".")[0]
            reason = (
                "isn't installed here"
                if isinstance(error, ModuleNotFoundError)
                else f"can't be loaded ({_line(error)})"
            )
            return EXPECTED, f"{NEEDED[missing]} {reason}; innerwalk doctor says how to mend that"
        case MemoryError():
            return EXPECTED, "not enough memory; --layers keeps fewer layers, --size makes the input smaller"
    return FAULT, f"bug in innerwalk, {type(error).__name__}: {_line(error)} (--debug shows the traceback)"


def _line(error: BaseException) -> str:
    return next(iter(message_of(error).splitlines()), "")


def _place(error: OSError) -> str:
    place = error.filename2 or error.filename  # of a file that can't be renamed, the name that it was to have
    return f": {place}" if place else ""


def record(options: argparse.Namespace, progress: ProgressBar) -> None:
    """Runs `innerwalk record`."""
    from ..torch_bridge.subject import RecordSpec, record_from

    with tempfile.TemporaryDirectory() as scratch:
        spec = RecordSpec(**record_fields(options, Path(scratch)))
        if options.strokes:
            from .gan_dissection.strokes import record_painted

            recording = record_painted(spec, options.strokes)
        else:
            recording = record_from(spec, progress)
    progress("saving", 1.0)
    recording.save(options.output, overwrite=options.overwrite, half=options.half)
    progress.close()
    print(summarise(recording))
    print(f"{'saved':<14} {options.output}; next: innerwalk scene {_quoted(options.output)} -o hall.blend")


def ask(options: argparse.Namespace, progress: ProgressBar) -> None:
    """Runs `innerwalk ask`."""
    from ..blender_addon.atomic_folders import new_folder
    from ..torch_bridge.subject import RecordSpec
    from . import ask as recipe
    from .tables import chart_table, table

    if options.pictures is not None:
        recipe.check_folder(options.pictures)
    with tempfile.TemporaryDirectory() as scratch:
        spec = RecordSpec(**record_fields(options, Path(scratch)))
        layers = tuple(options.layers or ("panels",))
        question = recipe.Question(
            options.method, layers, options.channels, dict(options.parameters), options.data, options.device
        )
        recording = recipe.answer(spec, question, progress, progress.say)
    layer_maps = recipe.maps_of(recording, options.method)
    if options.output is not None:
        recording.save(options.output, overwrite=options.overwrite)
    if options.pictures is not None:
        with new_folder(options.pictures) as part:
            recipe.write_pictures(part, recording, options.method, options.channels, progress)
    progress.close()
    charts = dict.fromkeys(chart for maps in layer_maps for chart in maps.charts)
    print("\n\n".join([table(layer_maps, options.channels), *map(chart_table, charts)]))
    next_ = f"innerwalk figure {_quoted(options.output)} --method {options.method} -o {options.method}.png"
    for what, path in (
        ("pictures", options.pictures),
        ("saved", options.output and f"{options.output}; next: {next_}"),
    ):
        if path is not None:
            print(f"{what:<14} {path}")


def dissect(options: argparse.Namespace, progress: ProgressBar) -> None:
    """Runs `innerwalk dissect`."""
    from ..torch_bridge.subject import RecordSpec
    from .dissect import run_dissection

    with tempfile.TemporaryDirectory() as scratch:
        lines = run_dissection(RecordSpec(**record_fields(options, Path(scratch))), options, progress)
    progress.close()
    print("\n".join(lines))


def gan_dissect(options: argparse.Namespace, progress: ProgressBar) -> None:
    """Runs `innerwalk gan_dissect`."""
    from ..torch_bridge.subject import RecordSpec
    from .gan_dissection.run import run_gan_dissection

    with tempfile.TemporaryDirectory() as scratch:
        lines = run_gan_dissection(RecordSpec(**record_fields(options, Path(scratch))), options, progress)
    progress.close()
    print("\n".join(lines))


def compare(options: argparse.Namespace, progress: ProgressBar) -> None:
    """Runs `innerwalk compare`."""
    from .compare import run_comparison

    lines = run_comparison(options, progress)
    progress.close()
    print("\n".join(lines))


def study(options: argparse.Namespace, progress: ProgressBar) -> None:
    """Runs `innerwalk study`."""
    from .study_command import run_study

    lines = run_study(options, progress)
    progress.close()
    print("\n".join(lines))


def _quoted(path: Path) -> str:
    """Returns a path as a shell takes it."""
    return shlex.quote(str(path))


def scene(options: argparse.Namespace, progress: ProgressBar) -> None:
    """Runs `innerwalk scene`."""
    start_blender()
    from ..blender_addon.output.hall_files import save_hall
    from ..blender_addon.scene.hall.series import create_folder_hall
    from ..blender_addon.scene.hall.store import Appearance

    check_place(options.output, ".blend")
    appearance = Appearance(**set_fields(options, Appearance))
    save_hall(create_folder_hall(options.recording, appearance, progress=progress), options.output)
    progress.close()
    print(f"saved {options.output}; open it in Blender, or: innerwalk figure {_quoted(options.output)} -o figure.png")


def demo(options: argparse.Namespace, progress: ProgressBar) -> None:
    """Runs `innerwalk demo`: records, builds and renders a shipped network on its default picture."""
    start_blender()
    from ..blender_addon.output.figure import render_figure
    from ..blender_addon.output.hall_files import save_hall
    from ..blender_addon.scene.hall.build import create_hall
    from ..torch_bridge.subject import RecordSpec, record_from
    from .shipped import DEFAULT, spec_fields

    folder = options.output
    folder.mkdir(parents=True, exist_ok=True)
    recording = record_from(RecordSpec(**spec_fields(DEFAULT, folder)), progress.part(0.0, 0.15))
    recording.save(folder / "hall")
    save_hall(create_hall(recording, progress=progress.part(0.15, 0.3)), folder / "hall.blend")
    render_figure(recording, folder / "hall.png", progress=progress.part(0.3, 1.0))
    progress.close()
    print(summarise(recording))
    print(f"made           {folder}/hall.png (view), {folder}/hall.blend (open in Blender), {folder}/hall (recording)")


def serve(options: argparse.Namespace, progress: ProgressBar) -> None:
    """Runs `innerwalk serve`."""
    from ..torch_bridge.server.arguments import config_arguments
    from ..torch_bridge.server.config import serve_config
    from ..torch_bridge.server.start import join_instructions, open_with_connection_file

    config = serve_config(**config_arguments(options))
    with open_with_connection_file(config, options.connection, progress) as server:
        progress.close()
        print(join_instructions(config, server, options.connection), flush=True)
        server.serve_forever()


def names(options: argparse.Namespace, progress: ProgressBar) -> None:
    """Runs `innerwalk names`."""
    from .unit_names.names_command import summarise_names

    print("\n".join(summarise_names(options)))


def methods(options: argparse.Namespace, progress: ProgressBar) -> None:
    """Runs `innerwalk methods`."""
    from ..torch_bridge.methods import METHODS, help_text

    print("\n\n".join(map(help_text, METHODS.values())))


def doctor(options: argparse.Namespace, progress: ProgressBar) -> None:
    """Runs `innerwalk doctor`."""
    from .doctor import examine

    for finding in examine():
        print(finding)


COMMANDS: dict[str, Callable[[argparse.Namespace, ProgressBar], None]] = {
    "record": record,
    "ask": ask,
    "dissect": dissect,
    "gan_dissect": gan_dissect,
    "compare": compare,
    "names": names,
    "series": series_command.series,
    "study": study,
    "show": window_commands.show,
    "open": window_commands.open_hall,
    "scene": scene,
    "figure": recipe_commands.figure,
    "render": recipe_commands.render,
    "farm": recipe_commands.farm,
    "recipe": recipe_commands.recipe,
    "serve": serve,
    "methods": methods,
    "doctor": doctor,
    "demo": demo,
}
