"""One `innerwalk record` from end to end: model, weights, preprocessing, input, run, answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .inputs.first_layer import argument_names
from .inputs.input_adapter import InputAdapter, make_input_adapter
from .inputs.metadata import class_list, input_facts, latent_shape
from .inputs.sources import Input, Source
from .models.build import BuiltModel, build_model
from .models.device import to_device
from .models.weights import load_weights
from .predictions.class_names import ClassNames, find_class_names
from .predictions.outputs import interpret_output
from .recording import Recording
from .recording.errors import ModelError

Progress = Callable[[str, float], None]
"""Called with what is being done and how much of the whole is done, 0..1."""


@dataclass(frozen=True)
class RecordSpec:
    """Everything a person can say about one recording; what is None is found out."""

    model: str
    """A torchvision name, `package.module:factory`, or a `.pt2` file."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """Keyword arguments of the factory."""
    weights: str | None = None
    """A `.safetensors` file, a `weights_only` checkpoint, "DEFAULT" (download), or None: random."""
    classes: str | None = None
    """A JSON file: a list of names, or index -> name."""
    inputs: Sequence[Source] = ()
    """Image files, `.npy` files, `noise:SEED` or pictures, one for each argument of the model."""
    layers: Sequence[str] = ("*",)
    """Globs over layer ids, or "panels"."""
    size: tuple[int, int] | None = None
    """(height, width) in pixels of what the network gets."""
    crop: float | None = None
    """Share of the picture's middle that is kept, 0..1; 1 is the whole picture."""
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    channels: int | None = None
    """1 grey, 3 RGB, 4 RGBA."""
    interpolation: str | None = None
    """nearest, bilinear, bicubic, lanczos, box or hamming."""
    stretch: bool | None = None
    """Whether the picture loses its proportions instead of its ends."""
    index: int = 0
    """Which sample, where the input is a batch."""
    grid: tuple[int, int] | None = None
    """Rows and columns of tokens, where they can't be inferred."""
    seed: int = 0
    weights_maps: bool = False
    """Record the kernels of convolutions too."""
    ablate: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """By layer: channels that are 0."""
    name: str | None = None
    """The network's name on its title board."""


def record_from(spec: RecordSpec, progress: Progress | None = None) -> Recording:
    """Do the whole job. Raises InputError, ModelError or UnknownName, each with one line for a person.

    What was done to the picture is told in `provenance["preprocessing"]`.
    """
    tell = progress or (lambda what, share: None)
    tell(f"building {spec.model}", 0.0)
    subject = prepare(spec)
    tell("reading the input", 0.2)
    inputs = subject.feeder.read(spec.inputs or noise(subject.built, spec.seed), spec.index)
    rest: Progress = lambda layer, share: tell(layer, 0.3 + 0.7 * share)  # noqa: E731
    recording = run(spec, subject, inputs, spec.layers, progress=rest, kernels=spec.weights_maps, ablate=spec.ablate)
    tell("recorded", 1.0)
    return recording


@dataclass(frozen=True)
class Subject:
    """A network that is ready to run, and all that is known about it."""

    built: BuiltModel
    feeder: InputAdapter
    names: ClassNames
    weights: str
    """Where the weights came from; "" for random ones."""
    metadata: Mapping[str, str]
    """What the weights file says about itself."""


def prepare(spec: RecordSpec) -> Subject:
    """Build the network, load its weights, find its preprocessing and its class names."""
    download = spec.weights if spec.weights and _is_name(spec.weights) else None
    built = build_model(spec.model, spec.arguments, spec.seed, download)
    metadata: Mapping[str, str] = {}
    stated: tuple[str, Mapping[str, Any]] = ("", {})
    weights = built.weights
    if spec.weights and not download:
        path = Path(spec.weights)
        metadata, weights = load_weights(built.module, path), path.name
        stated = (path.name, input_facts(metadata, path))
    feeder = make_input_adapter(built, _flags(spec), stated, latent_shape(metadata))
    names = find_class_names(spec.classes, class_list(metadata), weights, built.preset)
    return Subject(built, feeder, names, weights, metadata)


def _is_name(weights: str) -> bool:
    """A torchvision weights' name, such as DEFAULT or IMAGENET1K_V2, rather than a file."""
    return weights.isidentifier() and weights.isupper() and not Path(weights).exists()


def _flags(spec: RecordSpec) -> dict[str, Any]:
    fields = ("size", "crop", "mean", "std", "channels", "interpolation", "stretch")
    given = {key: getattr(spec, key) for key in fields}
    return {key: value for key, value in given.items() if value is not None}


def noise(built: BuiltModel, seed: int) -> list[str]:
    """What a network gets when nothing is given: noise for each of its arguments."""
    return [f"noise:{seed + k}" for k in range(max(1, len(argument_names(built.module))))]


def run(
    spec: RecordSpec, subject: Subject, inputs: Sequence[Input], layers: Sequence[str], device: Any = None, **told: Any
) -> Recording:
    """Record a prepared network on inputs; `told` goes to `record`. Raises ModelError that names input and layer."""
    from .capture.recorder import record

    picture, arguments = inputs[0].picture, subject.feeder.arguments(inputs)
    try:
        return record(
            subject.built.module,
            arguments if device is None else to_device(arguments, device),
            layers=list(layers),
            name=spec.name or subject.built.name,
            picture=picture,
            input_name=" + ".join(one.name for one in inputs),
            answer=lambda output: interpret_output(output, picture, subject.names),
            trained=bool(subject.weights),
            weights=subject.weights,
            provenance=_provenance(spec, subject, inputs),
            grid=spec.grid,
            **told,
        )
    except ModelError as error:
        raise ModelError(subject.feeder.explain(arguments, error)) from error


def _provenance(spec: RecordSpec, subject: Subject, inputs: Sequence[Input]) -> dict[str, Any]:
    """Where everything came from: plain JSON values."""
    return {
        "model": Path(spec.model).name,
        "arguments": dict(spec.arguments),
        **({"torchvision": version("torchvision")} if subject.built.preset else {}),
        "weights": subject.weights or "random",
        **{key: subject.metadata[key] for key in ("origin", "licence") if key in subject.metadata},
        "inputs": [one.name for one in inputs],
        "preprocessing": "; ".join(dict.fromkeys(one.treatment for one in inputs)),
        "classes": subject.names.source,
        "seed": spec.seed,
    }
