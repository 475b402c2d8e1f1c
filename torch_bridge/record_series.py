"""All of `innerwalk series`: a network on frames of a video, pictures, more and more noise, or with each checkpoint."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, NamedTuple

from .data.listing import SUFFIXES, is_picture
from .inputs.preprocess import Preprocessing
from .inputs.sources import Input, NamedContent, Source, replace_first, to_image
from .models.checkpoint_files import find_checkpoints
from .natural_order import natural_key
from .recording import Progress, Recording, SeriesWriter, ignore_progress, load
from .recording.errors import InnerwalkError, InputError, ModelError
from .recording.series import MAX_ENTRIES, MAX_RATE
from .subject import RecordSpec, Subject, default_sources, prepare, run
from .video import Video, open_video

ROUNDING = 1e-6
"""Share of a frame by which a video may be longer because times are rounded."""
NO_ORIGIN = ("folder", "trust")
"""Options that don't change what is recorded."""


class OwnInput(NamedTuple):
    """The network's own first input, and how pictures are prepared for it."""

    input: Input
    preprocessing: Preprocessing


@dataclass(frozen=True)
class SeriesInputs:
    """The inputs along an axis."""

    axis: str
    labels: tuple[str, ...]
    """What people call each of them."""
    read: Callable[[int, Callable[[], OwnInput]], Source]
    """Returns the input at a position, the same object for the same input; its second argument reads the network's
    own first input. Raises InputError for one that can't be read."""
    source: str
    """Where they come from, for people."""
    rate: float = 0.0
    """Inputs a second; 0 where the axis isn't time."""
    weights: tuple[Path, ...] = ()
    """The weights file that the network gets at each position; () where it keeps its own."""


class SeriesMethod(NamedTuple):
    """A method that is run with each entry."""

    run: Callable[[Subject, Sequence[Input]], Recording]
    """Records a prepared network on inputs, with the method's maps."""
    about: Mapping[str, Any]
    """Its name and parameters, as JSON values."""


@contextmanager
def video_inputs(path: str, rate: float | None = None) -> Iterator[SeriesInputs]:
    """Opens a video file and yields its frames as inputs.

    rate: of the frames that are taken, frames a second; None for all frames. A frame that can't be decoded has the one
    before it in its place, or with None is left out. Raises InputError for a file that can't be opened, a camera or a
    rate out of bounds.
    """
    if path.startswith("camera:"):
        raise InputError(f"{path} has no end; a series needs a video file")
    if rate is not None and not 0 < rate <= MAX_RATE:
        raise InputError(f"{rate:g} frames a second: a rate above 0, at most {MAX_RATE:g}, is needed")
    video = open_video(path, loop=False)
    try:
        yield _frames(video, Path(path).name, rate)
    finally:
        video.close()


def _frames(video: Video, name: str, rate: float | None) -> SeriesInputs:
    count = video.frames if rate is None else max(1, math.ceil(video.frames / video.rate * rate - ROUNDING))
    if count > MAX_ENTRIES:
        raise InputError(f"video {name}: {count:,} frames; a series has at most {MAX_ENTRIES:,}: take a lower rate")
    labels = (f"frame {k}" if rate is None else f"{k / rate:.3f} s" for k in range(count))
    last: dict[int, Source] = {}  # the frame that was read last, by its number

    def read(k: int, first: Callable[[], OwnInput]) -> Source:
        frame = video.seek(k) if rate is None else video.frame_at(k / rate)
        if rate is None and frame.number != k:
            raise InputError(f"video {name}: frame {k} can't be decoded")
        if frame.number not in last:
            last.clear()
            last[frame.number] = NamedContent(f"{name}, frame {frame.number}", to_image(frame.picture))
        return last[frame.number]

    return SeriesInputs("frame", tuple(labels), read, name, rate or video.rate)


def picture_inputs(folder: Path | str) -> SeriesInputs:
    """The pictures of a folder in natural order, 2.png before 10.png. Raises InputError."""
    folder = Path(folder)
    try:
        names = sorted((path.name for path in folder.iterdir() if is_picture(path.name)), key=natural_key)
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror or error}; a folder of pictures is needed") from None
    if not 0 < len(names) <= MAX_ENTRIES:
        wanted = f"1 to {MAX_ENTRIES:,} pictures ({', '.join(SUFFIXES)}) are needed"
        raise InputError(f"{folder}: it has {len(names):,}; {wanted}")
    paths = [str(folder / name) for name in names]
    return SeriesInputs("picture", tuple(names), lambda k, first: paths[k], folder.name)


def noise_inputs(levels: Sequence[float], seed: int) -> SeriesInputs:
    """The network's own first input with more and more of one noise added: standard normal, times each of the levels.

    levels: in units of the values that the network gets, which for pictures are usually standard deviations.
    """

    def read(k: int, first: Callable[[], OwnInput]) -> Source:
        import torch

        from .inputs.sample_drawing import draw_sample

        own, preprocessing = first()
        if not isinstance(own.values, torch.Tensor) or not own.values.is_floating_point() or own.kind == "tokens":
            raise InputError(f"{own.name}: noise can be added to numbers only")
        generator = torch.Generator().manual_seed(seed)
        noise = torch.randn(own.values.shape, generator=generator, dtype=torch.float32).to(own.values.dtype)
        values = own.values + levels[k] * noise
        picture = draw_sample(values[0].float().numpy(), preprocessing)
        return replace(own, values=values, picture=picture, name=f"{own.name} + {levels[k]:g} noise")

    return SeriesInputs("noise", tuple(f"{level:g}" for level in levels), read, "noise")


def checkpoint_inputs(folder: Path) -> SeriesInputs:
    """The network's own first input, each time with the weights of one more checkpoint of a run. Raises InputError."""
    training = find_checkpoints(folder)
    labels = tuple(checkpoint.label for checkpoint in training.checkpoints)

    def read(k: int, first: Callable[[], OwnInput]) -> Source:
        own = first().input
        return replace(own, name=f"{own.name}, {labels[k]}")

    paths = tuple(checkpoint.path for checkpoint in training.checkpoints)
    return SeriesInputs(training.axis, labels, read, folder.resolve().name, weights=paths)


def record_series(
    spec: RecordSpec,
    along: SeriesInputs,
    folder: Path | str,
    progress: Progress = ignore_progress,
    method: SeriesMethod | None = None,
    *,
    resume: bool = False,
) -> list[str]:
    """Runs a network on each of the inputs and writes a series of the recordings; what is written is always whole.

    along: each stands for the first of the spec's inputs. method: run with each of them. resume: go on with the series
    in the folder. Returns a line about inputs and checkpoints that can't be read, if there are some; they are left out.
    Raises the first one's error if none can be read, and ModelError, UnknownName or RecordingError; the entries before
    stay.
    """
    progress(f"building {spec.model}", 0.0)
    subject = prepare(spec)
    with SeriesWriter(folder, along.axis, along.rate, _origin(spec, along, method), resume=resume) as writer:
        runs = _SeriesRun(spec, subject, along, method)
        for k in range(_next_position(writer.labels, along), len(along.labels)):
            label = along.labels[k]
            progress(label if label.startswith(along.axis) else f"{along.axis} {label}", k / len(along.labels))
            recording = runs.recording(k)
            if recording is not None:
                writer.add(along.labels[k], recording)
        if not writer.labels:
            raise runs.errors[0][1]
    progress("recorded", 1.0)
    return runs.notes()


class _WeightsError(ModelError):
    """A checkpoint that the network can't load."""


class _SeriesRun:
    """Runs one network on input after input."""

    def __init__(
        self, spec: RecordSpec, subject: Subject, along: SeriesInputs, method: SeriesMethod | None = None
    ) -> None:
        self._spec, self._subject, self._along, self._method = spec, subject, along, method
        self._defaults = default_sources(spec, subject.built)
        self._last: tuple[Source, Recording] | None = None
        """The input that was run last, and its recording."""
        self.errors: list[tuple[str, InnerwalkError]] = []
        """Labels of inputs and checkpoints that can't be read, and why."""

    def recording(self, k: int) -> Recording | None:
        """Runs the network on the input at a position; None if that, or the checkpoint there, can't be read."""
        try:
            self._load_weights(k)
            source = self._along.read(k, self._own_input)
            if self._last is not None and self._last[0] is source:
                return self._last[1]
            inputs = self._read(replace_first(self._defaults, [source]))
        except (InputError, _WeightsError) as error:
            self.errors.append((self._along.labels[k], error))
            return None
        spec = self._spec
        if self._method is None:
            recording = run(spec, self._subject, inputs, spec.layers, kernels=spec.kernels, ablate=spec.ablate)
        else:
            recording = self._method.run(self._subject, inputs)
        if self._along.weights:  # the network is stored once, for all checkpoints
            recording.network = replace(recording.network, weights=f"checkpoints of {self._along.source}")
        self._last = source, recording
        return recording

    def _load_weights(self, k: int) -> None:
        """Gives the network the weights of a position, in place, so that one network is in memory."""
        if not self._along.weights:
            return
        try:
            spec = replace(self._spec, weights=str(self._along.weights[k]))
            self._subject = prepare(spec, self._subject.built)
        except ModelError as error:
            raise _WeightsError(str(error)) from error

    def _own_input(self) -> OwnInput:
        return OwnInput(self._read(self._defaults)[0], self._subject.adapter.preprocessing)

    def _read(self, sources: Sequence[Source]) -> list[Input]:
        return self._subject.adapter.read(sources, self._spec.index)

    def notes(self) -> list[str]:
        """A line that says how many inputs were left out, and why the first of them."""
        if not self.errors:
            return []
        label, error = self.errors[0]
        return [f"{len(self.errors)} of {len(self._along.labels)} left out, first {label}: {error}"]


def _next_position(written: Sequence[str], along: SeriesInputs) -> int:
    """The position of the first input that isn't written. Raises InputError for entries that are none of the inputs."""
    if not written:
        return 0
    last, times = written[-1], written.count(written[-1])  # the same noise may be in a series twice
    places = [k for k, label in enumerate(along.labels) if label == last]
    if len(places) < times:
        raise InputError(f"the series ends with {last!r}, which {along.source} doesn't have; make it anew")
    return places[times - 1] + 1


def _origin(spec: RecordSpec, along: SeriesInputs, method: SeriesMethod | None) -> Mapping[str, Any]:
    """The options that a series was made with, as JSON values."""
    chosen = {field.name: getattr(spec, field.name) for field in fields(spec) if field.name not in NO_ORIGIN}
    chosen["inputs"] = [getattr(own, "name", None) or Path(str(own)).name for own in spec.inputs]
    chosen["method"] = method.about if method else {}
    plain = {name: value for name, value in chosen.items() if value not in (None, "", (), [], {}, False)}
    origin: dict[str, Any] = json.loads(json.dumps(plain | {"source": along.source}, default=str))
    return origin


def join_recordings(folders: Sequence[Path], folder: Path | str, progress: Progress = ignore_progress) -> None:
    """Writes a series of recordings that exist, in this order, labelled with their folders' names.

    Raises RecordingError, also if they aren't of one network; the entries before stay.
    """
    with SeriesWriter(folder, "recording", 0.0, {"source": "recordings"}) as writer:
        for k, own in enumerate(folders):
            progress(f"adding {own.name}", k / len(folders))
            writer.add(own.resolve().name, load(own))
