"""Runs `innerwalk record`: builds the model, loads weights, reads inputs, runs, and interprets the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .inputs.first_layer import argument_names, find_first_layer
from .inputs.input_adapter import InputAdapter, make_input_adapter
from .inputs.sources import Input, KeywordSource, NamedContent, Source, copy_input
from .inputs.tokens import read_vocabulary
from .inputs.weights_metadata import class_list, input_facts, latent_shape
from .models.build import BuiltModel, build_model
from .models.device import to_device
from .models.factory import importable
from .models.weights import LoadedWeights, load_weights
from .predictions.class_names import Classes, ClassNames, find_class_names
from .recording import Progress, Recording, ignore_progress
from .recording.errors import ModelError
from .recording.files import is_weights_name

if TYPE_CHECKING:
    from .capture.recorder import RecordingInfo


@dataclass(frozen=True)
class RecordSpec:
    """All options of a recording. None means: inferred from the model, its weights or the input."""

    model: str
    """A torchvision name, `package.module:factory`, or a `.pt2` file."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """Keyword arguments of the factory."""
    folder: str | None = None
    """Where the factory's modules are found, beside the installed ones; by default the current folder."""
    weights: str | None = None
    """A `.safetensors` file, a `weights_only` checkpoint, "DEFAULT" (download), or None for random weights."""
    classes: Classes | None = None
    """Class names in index order, or a JSON file with a list of them or an object index -> name."""
    inputs: Sequence[Source] = ()
    """Pictures, tensors, sounds, tokens, words, `noise:SEED` or named contents, one for each argument of the model."""
    keywords: Mapping[str, str | NamedContent] = field(default_factory=dict)
    """Such inputs that are passed by the name of an argument."""
    vocabulary: str | None = None
    """The words that the model knows, for inputs `text:…`: JSON {word: number}, or a text file with a word a line."""
    layers: str | Sequence[str] = "*"
    """A glob or globs over layer ids, or "panels"."""
    size: tuple[int, int] | None = None
    """(height, width) in pixels of the network's input."""
    crop: float | None = None
    """Share of the image that the central crop keeps, 0..1."""
    mean: tuple[float, ...] | None = None
    """Mean of each channel that is subtracted, for values 0..1."""
    std: tuple[float, ...] | None = None
    """Standard deviation of each channel that values are divided by."""
    colours: int | None = None
    """Colour channels of the input: 1 grey, 3 RGB, 4 RGBA."""
    interpolation: str | None = None
    """nearest, bilinear, bicubic, lanczos, box or hamming."""
    window: tuple[float, float] | None = None
    """Levels of grey pictures that are black and white, in the file's own numbers."""
    stretch: bool | None = None
    """Whether the image is stretched to the size instead of cropped."""
    index: int = 0
    """Index of the sample to record, if the input file is a batch."""
    grid: tuple[int, int] | None = None
    """(rows, columns) of tokens, if they can't be inferred."""
    positions: Mapping[str, int] = field(default_factory=dict)
    """Layer id -> which frame, window or other position of the input is shown."""
    seed: int = 0
    """Seed of random weights and of noise inputs."""
    kernels: bool = False
    """Whether the kernels of convolutions are recorded too."""
    ablate: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """Layer id -> channels that are set to 0."""
    name: str | None = None
    """Name of the network, for its title board."""
    trust: bool = False
    """Whether a `.pt2` file may run its code. Only a person or a parent process says so, never a file or request."""


def record_from(spec: RecordSpec, progress: Progress = ignore_progress) -> Recording:
    """Build, load, read, run and interpret. Raises InputError, ModelError or UnknownName, each with a one-line message.

    `provenance["preprocessing"]` of the recording says what was done to the image.
    """
    progress(f"building {spec.model}", 0.0)
    subject = prepare(spec)
    progress("reading the input", 0.2)
    inputs = subject.adapter.read(default_sources(spec, subject.built), spec.index)

    def run_progress(layer: str, share: float) -> None:
        progress(layer, 0.3 + 0.7 * share)

    recording = run(spec, subject, inputs, spec.layers, progress=run_progress, kernels=spec.kernels, ablate=spec.ablate)
    progress("recorded", 1.0)
    return recording


@dataclass(frozen=True)
class Subject:
    """A network that is ready to run, with its preprocessing, class names and metadata."""

    built: BuiltModel
    adapter: InputAdapter
    names: ClassNames
    weights: str
    """Origin of the weights; "" for random ones."""
    metadata: Mapping[str, str]
    """Metadata of the weights file."""
    left_out: str = ""
    """What of the weights file the network has no place for, as one line; "" if nothing."""


def prepare(spec: RecordSpec, built: BuiltModel | None = None) -> Subject:
    """Build the network, load its weights, find its preprocessing and its class names.

    built: the network, where it exists already; its weights count as trained ones.
    """
    download = spec.weights if spec.weights and is_weights_name(spec.weights) else None
    if built is not None:
        built = replace(built, weights=built.weights or "as given")
    built = built or build_model(spec.model, spec.arguments, spec.seed, download, spec.folder, spec.trust)
    loaded = LoadedWeights({})
    facts: tuple[str, Mapping[str, Any]] = ("", {})
    weights = built.weights
    if spec.weights and not download:
        path = Path(spec.weights)
        loaded, weights = load_weights(built.module, path), path.name
        facts = (path.name, input_facts(loaded.metadata, path))
    vocabulary = read_vocabulary(spec.vocabulary) if spec.vocabulary else None
    adapter = make_input_adapter(built, _input_options(spec), facts, latent_shape(loaded.metadata))
    names = find_class_names(spec.classes, class_list(loaded.metadata), weights, built.preset)
    adapter = replace(adapter, vocabulary=vocabulary)
    return Subject(built, adapter, names, weights, loaded.metadata, loaded.describe_left_out())


def _input_options(spec: RecordSpec) -> dict[str, Any]:
    """The options of the input that are set."""
    names = ("size", "crop", "mean", "std", "interpolation", "stretch", "window")
    options = {name: getattr(spec, name) for name in names} | {"channels": spec.colours}
    return {name: value for name, value in options.items() if value is not None}


def default_sources(spec: RecordSpec, built: BuiltModel) -> list[Source]:
    """The inputs that a spec names, those with names last; without any, noise for each argument of the network.

    Beside tokens noise would be no guess: then it is for the first argument only.
    """
    named = [KeywordSource(name, source) for name, source in spec.keywords.items()]
    first = find_first_layer(built.module)
    count = 1 if first and first.kind == "tokens" else max(1, len(argument_names(built.module)))
    return [*spec.inputs, *named] or [f"noise:{spec.seed + k}" for k in range(count)]


def own_modules(spec: RecordSpec) -> AbstractContextManager[None]:
    """Makes the modules in the spec's folder importable while a network runs, as its forward may import some."""
    return importable(spec.folder) if spec.folder else nullcontext()


def run(
    spec: RecordSpec,
    subject: Subject,
    inputs: Sequence[Input],
    layers: str | Sequence[str],
    device: Any = None,
    **options: Any,
) -> Recording:
    """Record a prepared network on inputs; `options` are passed to `record` and precede those of the spec.

    Raises ModelError that names input and layer.
    """
    from .capture.recorder import record

    picture, arguments = inputs[0].picture, subject.adapter.arguments([copy_input(read) for read in inputs])
    try:
        with own_modules(spec):
            return record(
                subject.built.module,
                arguments if device is None else to_device(arguments, device),
                layers=layers,
                picture=picture,
                classes=subject.names,
                grid=spec.grid,
                info=_recording_info(spec, subject, inputs),
                **{"positions": spec.positions} | options,
            )
    except ModelError as error:
        raise ModelError(subject.adapter.explain(arguments, error)) from error


def _recording_info(spec: RecordSpec, subject: Subject, inputs: Sequence[Input]) -> RecordingInfo:
    from .capture.recorder import RecordingInfo
    from .endpoints.inputs import InputFacts
    from .endpoints.tensor_names import positional_names

    places = iter(positional_names(subject.built.module, len(inputs)))
    named = [(name, read) for read in inputs for name in _argument_names(read) or [next(places)]]
    vocabulary = subject.adapter.vocabulary
    return RecordingInfo(
        name=spec.name or subject.built.name,
        input_name=" + ".join(source.name for source in inputs),
        trained=bool(subject.weights),
        weights=subject.weights,
        provenance=_provenance(spec, subject, inputs),
        inputs={
            name: InputFacts(read.name, read.preprocessing, read.kind, read.picture if read.kind == "picture" else None)
            for name, read in named
        },
        words=None if vocabulary is None else {number: word for word, number in vocabulary.ids.items()},
    )


def _argument_names(read: Input) -> list[str]:
    """The names of the arguments that an input is passed by; [] for one that is passed by its place."""
    from .capture.call_arguments import Keywords

    if isinstance(read.values, Keywords):
        return list(read.values)
    return [read.keyword] if read.keyword else []


def _provenance(spec: RecordSpec, subject: Subject, inputs: Sequence[Input]) -> dict[str, Any]:
    """The origin of model, weights, inputs and class names, as plain JSON values."""
    return {
        "model": Path(spec.model).name,
        "arguments": dict(spec.arguments),
        **({"torchvision": version("torchvision")} if subject.built.preset else {}),
        "weights": subject.weights or "random",
        **({"weights_left_out": subject.left_out} if subject.left_out else {}),
        **{key: subject.metadata[key] for key in ("origin", "licence") if key in subject.metadata},
        "inputs": [source.name for source in inputs],
        "preprocessing": "; ".join(dict.fromkeys(source.describe() for source in inputs)),
        "classes": subject.names.source,
        "seed": spec.seed,
    }
