"""`innerwalk series`: its options, and what it does."""

from __future__ import annotations

import argparse
import shlex
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..torch_bridge.recording.errors import InputError
from ..torch_bridge.recording.writing import SERIES_DOCUMENT
from .options.argument_values import numbers, place, record_fields
from .options.model_arguments import add_question
from .progress import ProgressBar

if TYPE_CHECKING:
    from ..torch_bridge.record_series import SeriesInputs, SeriesMethod
    from ..torch_bridge.subject import RecordSpec

EXAMPLES = """\
MODEL and its options are the same as for record; panels are recorded unless --layers says otherwise.

examples
  innerwalk series object --video clip.mp4 --fps 12 -o clip
  innerwalk series squeezenet1_0 --weights squeezenet.safetensors --images frames -o walk
  innerwalk series object --image parrot.jpg --noise 0,0.1,0.2,0.4 -o noise
  innerwalk series my.nets:build --image parrot.jpg --checkpoints runs/1 -o training
  innerwalk series object --video clip.mp4 --method concept_contribution --layers stage3.1:add -o evidence
  innerwalk series --recordings epoch1 epoch2 epoch3 -o joined
"""


def add_series(sub: argparse.ArgumentParser) -> None:
    """Adds the options of `series` but for those of the model and its inputs."""
    sub.add_argument("model", nargs="?", metavar="MODEL")
    sub.add_argument("-o", "--output", type=place, required=True, metavar="NAME", help="folder of the series")
    sub.add_argument("--resume", action="store_true", help="go on with the series in the folder")
    along = sub.add_argument_group("the axis, one of").add_mutually_exclusive_group(required=True)
    along.add_argument("--video", metavar="FILE", help="the frames of a video")
    along.add_argument("--images", type=Path, metavar="FOLDER", help="the pictures of a folder, 2.png before 10.png")
    along.add_argument(
        "--noise", type=numbers, metavar="0,0.1,0.2", help="the input plus noise, by its standard deviation"
    )
    along.add_argument(
        "--checkpoints", type=Path, metavar="FOLDER", help="the weights of a training run, by the epochs in their names"
    )
    along.add_argument(
        "--recordings", type=Path, nargs="+", metavar="RECORDING", help="recordings that exist, of one network"
    )
    sub.add_argument("--fps", type=float, metavar="N", help="frames of the video a second (all of its own)")
    sub.add_argument("--layers", action="append", metavar="GLOB", help="layers to record (panels)")
    method = sub.add_argument_group("a method that is run with each entry")
    method.add_argument(
        "--method", default="", metavar="NAME", help="a method of innerwalk methods (activations alone)"
    )
    add_question(method)


def series(options: argparse.Namespace, progress: ProgressBar) -> None:
    """Runs `innerwalk series`; what is done when it is stopped is kept."""
    from ..torch_bridge.recording import load_series

    notes: list[str] = []
    try:
        if options.recordings:
            _join(options, progress)
        else:
            notes = _record(options, progress)
    except KeyboardInterrupt:
        if not (options.output / SERIES_DOCUMENT).exists():
            raise
        more = "the same command makes it anew" if options.recordings else "--resume goes on"
        raise KeyboardInterrupt(f"stopped; what is done is in {options.output}, and {more}") from None
    progress.close()
    written = load_series(options.output)
    quoted = shlex.quote(str(options.output))
    size = sum(path.stat().st_size for path in written.folder.iterdir())
    print(f"{'network':<14} {written.network.name}, {len(written.network.layers)} layers")
    first, last = written.labels[0], written.labels[-1]
    span = f"{len(written)} entries, {first} to {last}" if len(written) > 1 else f"1 entry, {first}"
    print(f"{'axis':<14} {written.axis}, {span}")
    print("".join(f"{'warning':<14} {note}\n" for note in notes), end="")
    shown = f"{quoted} --method {options.method}" if options.method else quoted
    print(f"{'saved':<14} {written.folder}, {size / 1e6:.1f} MB; next: innerwalk scene {shown} -o hall.blend")


def _join(options: argparse.Namespace, progress: ProgressBar) -> None:
    from ..torch_bridge.record_series import join_recordings

    if options.model is not None or options.resume:
        raise InputError("--recordings takes recordings as they are, without MODEL and --resume")
    join_recordings(options.recordings, options.output, progress)


def _record(options: argparse.Namespace, progress: ProgressBar) -> list[str]:
    from ..torch_bridge.record_series import record_series
    from ..torch_bridge.subject import RecordSpec

    if options.model is None:
        raise InputError("name a MODEL, such as object or resnet50; innerwalk series --help lists examples")
    if options.fps is not None and not options.video:
        raise InputError("--fps is the rate of a --video; leave it out")
    if options.checkpoints and options.weights:
        raise InputError("--checkpoints brings the weights; leave out --weights")
    if not options.method and (options.parameters or options.channels or options.data):
        raise InputError("--set, --channels and --data are of a --method; name one, such as concept_contribution")
    with tempfile.TemporaryDirectory() as scratch, _inputs(options) as along:
        spec = RecordSpec(**{"layers": ("panels",)} | record_fields(options, Path(scratch)))
        method = _method(spec, options) if options.method else None
        return record_series(spec, along, options.output, progress, method, resume=options.resume)


def _method(spec: RecordSpec, options: argparse.Namespace) -> SeriesMethod:
    """What runs the method of the options with each entry. Raises UnknownName or InputError."""
    from . import ask

    layers = tuple(options.layers or ("panels",))
    return ask.series_method(
        spec, ask.Question(options.method, layers, options.channels, dict(options.parameters), options.data)
    )


@contextmanager
def _inputs(options: argparse.Namespace) -> Iterator[SeriesInputs]:
    from ..torch_bridge.record_series import checkpoint_inputs, noise_inputs, picture_inputs, video_inputs

    if options.video:
        with video_inputs(options.video, options.fps) as frames:
            yield frames
    elif options.checkpoints:
        yield checkpoint_inputs(options.checkpoints)
    else:
        yield picture_inputs(options.images) if options.images else noise_inputs(options.noise, options.seed)
