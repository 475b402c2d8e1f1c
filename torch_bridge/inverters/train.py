"""Train an inverter of a network's layer on a data set. On the CPU, the same arguments give the same file.

python -m innerwalk.torch_bridge.inverters.train object stage2.1:add --data concepts:object:train -o stage2.safetensors
python -m innerwalk.torch_bridge.inverters.train resnet18=mine.pt layer4 --prior --data ~/pictures -o prior.safetensors
python -m innerwalk.torch_bridge.inverters.train --shipped
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from ..capture.recorder import record
from ..concepts.training_progress import TrainingProgress
from ..concepts.training_script import run_script
from ..data import DataSet, open_data, random_indices
from ..inputs.pixels import Pixels
from ..inputs.sources import NamedContent, replace_first
from ..methods import MethodContext
from ..models.device import choose_device, to_device
from ..models.fingerprint import weights_fingerprint
from ..recording import Network, Recording
from ..recording.errors import InnerwalkError, InputError
from ..server.config import serve_config
from ..subject import RecordSpec, default_sources, prepare
from .distances import load_picture
from .inverter_files import COMMAND, SUFFIX, WEIGHTS_FOLDER, InverterMetadata, Kind, write_inverter
from .inverter_training import InvertedLayer, InverterPictures, InverterTraining, TrainedInverter, train_inverter

SHIPPED_LAYERS = ("stem.norm", "stage1.1:add", "stage2.1:add", "stage3.1:add", "fc")
"""Layers of the default network that ship with trained inverters."""
SHIPPED_PRIOR_LAYER = "pool"
SHIPPED_DATA, SHIPPED_SHAPES = "concepts:object:train", "concepts:shapes:train"
"""Data of the inverters; of `fc` and the prior, whose layers know shapes but neither places nor colours."""
MIN_PICTURES = 10
FEATURE_WEIGHT = 0.1
"""Weight of the feature loss when a prior is trained."""
OPTIONS = {
    "pictures": (3, "number of pictures at most"),
    "epochs": (1, "passes over the pictures"),
    "batch": (1, "pictures per batch"),
    "width": (1, "channels of the inverter's last maps"),
    "seed": (0, "random seed"),
    "rate": (1e-12, "peak learning rate"),
}
"""Settings that are options of the command: smallest value and help."""
MAX_OPTION = 2**31


class InverterJob(NamedTuple):
    """The layer to invert and the data to train with, as written on the command line."""

    network: str
    """NETWORK[=WEIGHTS]."""
    layer: str
    data: str
    feature_layer: str = ""
    """Layer of the feature loss; "" for one half way to the inverted layer."""
    kind: Kind = "inverter"


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if not options.shipped and None in (options.network, options.layer, options.data, options.output):
        parser.error("NETWORK, LAYER, --data and -o are needed, or --shipped alone")
    try:
        for job, settings, output in _shipped_jobs() if options.shipped else [_requested_job(options)]:
            result = train_to_file(job, settings, output, options.device)
            sys.stderr.write(f"{output}: {result}\n")
    except InnerwalkError as problem:
        sys.stderr.write(f"{COMMAND}: {problem}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=COMMAND, description="Train a network that turns a layer's maps into pictures."
    )
    parser.add_argument("network", nargs="?", metavar="NETWORK[=WEIGHTS]", help="as for record: object, resnet18=x.pt")
    parser.add_argument("layer", nargs="?", metavar="LAYER", help="id of the layer to invert")
    parser.add_argument(
        "--data", metavar="WHERE", help="a folder of pictures, a .zip, idx files, or concepts:object:train"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="the .safetensors file to write")
    parser.add_argument("--prior", action="store_true", help="train a prior for dgn_am, with a feature loss")
    parser.add_argument("--like", metavar="LAYER", help="with --prior: layer of the feature loss (one half way)")
    parser.add_argument("--shipped", action="store_true", help="train all inverters that ship with Innerwalk")
    parser.add_argument(
        "--device", default="cpu", help="cpu, cuda or mps; only cpu gives the same file each time (cpu)"
    )
    for name, (_, text) in OPTIONS.items():
        default = getattr(InverterTraining, name)
        parser.add_argument(f"--{name}", type=type(default), default=default, help=f"{text} ({default})")
    return parser


def _requested_job(options: argparse.Namespace) -> tuple[InverterJob, InverterTraining, Path]:
    """Returns the job of a command line. Raises InputError if an option is out of bounds."""
    values = {name: getattr(options, name) for name in OPTIONS}
    for name, (smallest, _) in OPTIONS.items():
        if not smallest <= values[name] <= MAX_OPTION:
            raise InputError(f"--{name} {values[name]}: must be {smallest:g} to {MAX_OPTION}")
    settings = InverterTraining(**values, feature_weight=FEATURE_WEIGHT if options.prior else 0.0)
    kind: Kind = "prior" if options.prior else "inverter"
    job = InverterJob(options.network, options.layer, options.data, options.like or "", kind)
    return job, settings, options.output


def _shipped_jobs() -> list[tuple[InverterJob, InverterTraining, Path]]:
    settings = (
        InverterTraining(2000),
        InverterTraining(width=24),
        InverterTraining(width=24),
        InverterTraining(),
        InverterTraining(3000, 5),
    )
    data = [SHIPPED_SHAPES if layer == "fc" else SHIPPED_DATA for layer in SHIPPED_LAYERS]
    inverters = [
        (InverterJob("object", layer, pictures), of_layer, WEIGHTS_FOLDER / f"object-{_file_name(layer)}")
        for layer, pictures, of_layer in zip(SHIPPED_LAYERS, data, settings, strict=True)
    ]
    prior = InverterJob("object", SHIPPED_PRIOR_LAYER, SHIPPED_SHAPES, kind="prior")
    return [*inverters, (prior, InverterTraining(3000, 12), WEIGHTS_FOLDER / f"object-prior-{_file_name(prior.layer)}")]


def _file_name(layer: str) -> str:
    return layer.replace(":", "-") + SUFFIX


def train_to_file(job: InverterJob, settings: InverterTraining, output: Path, device: str = "cpu") -> str:
    """Trains an inverter and writes it when training has ended; returns a line with its error and size.

    Raises InputError, ModelError or UnknownName.
    """
    if output.suffix != SUFFIX:
        raise InputError(f"{output}: the file of an inverter must end with {SUFFIX}")
    (spec,) = serve_config([job.network]).networks.values()
    context = make_training_context(spec, job.layer, open_data(job.data), choose_device(device))
    (layer,) = context.layers
    feature_layer = ""
    if settings.feature_weight:
        feature_layer = _find_feature_layer(context.network, layer, job.feature_layer)
    pictures = _read_pictures(context, settings)
    progress: list[TrainingProgress] = []

    def on_batch(done: int, total: int) -> None:
        if not progress:
            progress.append(TrainingProgress(f"training {layer}", total))
        progress[0].step()

    inverted = InvertedLayer(context.model, context.arguments_with, layer, feature_layer)
    trained = train_inverter(inverted, pictures, settings, on_batch)
    metadata = _metadata(context, job.kind, settings, len(pictures.pixels), trained)
    write_inverter(output, metadata, trained.net, trained.codes)
    size = output.stat().st_size / 1e3
    return f"{metadata.kind} of {layer}, picture error {trained.error:.3f}, {size:,.0f} kB"


def make_training_context(spec: RecordSpec, layer: str, data: DataSet, device: torch.device) -> MethodContext:
    """Builds the network and runs it on the data's first picture. Raises UnknownName for an unknown layer."""
    subject = prepare(spec)
    model, adapter = subject.built.module.to(device), subject.adapter
    defaults = default_sources(spec, subject.built)

    def arguments_from_picture(picture: Any) -> tuple[Any, ...]:
        sources = replace_first(defaults, [NamedContent("a picture", picture)])
        return to_device(adapter.arguments(adapter.read(sources, 0)), device)

    def record_layers(arguments: tuple[Any, ...], layers: Sequence[str]) -> Recording:
        return record(model, arguments, layers=list(layers))

    arguments = arguments_from_picture(data.picture(0))
    network = record_layers(arguments, ()).network
    return MethodContext(
        model=model,
        arguments=arguments,
        network=network,
        layers=(network.layer(layer).id,),
        channels=(),
        record=record_layers,
        arguments_from_picture=arguments_from_picture,
        data=data,
        device=device,
        preprocessing=adapter.preprocessing,
        class_names=subject.names,
    )


def _find_feature_layer(network: Network, layer: str, requested: str) -> str:
    """Returns the requested layer, or one half way to the inverted layer. Raises InputError or UnknownName."""
    if requested:
        return network.layer(requested).id
    ids = [candidate.id for candidate in network.layers if candidate.role != "input"]
    earlier = [id for id in ids[: ids.index(layer)] if network.layer(id).map_shape[1:] != (1, 1)]
    if not earlier:
        raise InputError(
            f"no layer before {layer} has maps larger than 1×1; --like names the layer of the feature loss"
        )
    return earlier[len(earlier) // 2]


def _read_pictures(context: MethodContext, settings: InverterTraining) -> InverterPictures:
    """Reads randomly chosen pictures. Raises InputError if they are too few or differ in size."""
    data, shape = context.data, context.picture.shape[1:]
    assert data is not None
    indices = random_indices(data, settings.pictures, settings.seed)
    if len(indices) < MIN_PICTURES:
        raise InputError(
            f"{len(indices)} pictures of data set {data.name} are too few; at least {MIN_PICTURES} are needed"
        )
    converter, progress = (
        Pixels(context.preprocessing, context.picture),
        TrainingProgress("reading pictures", len(indices)),
    )
    pixels = torch.zeros((len(indices), *shape), dtype=torch.uint8)
    for number, index in enumerate(indices):
        picture = load_picture(context, index)
        if picture.shape != shape:
            raise InputError(f"{data.title(index)} differs in size from the first picture; all must have the same size")
        brightness = converter.to_brightness(picture[None])[0].clamp(0, 1)
        pixels[number] = (brightness * 255).round().byte().cpu()
        progress.step()
    return InverterPictures(pixels, converter.mean, converter.std)


def _metadata(
    context: MethodContext, kind: Kind, settings: InverterTraining, count: int, trained: TrainedInverter
) -> InverterMetadata:
    plan, preprocessing = trained.net.plan, context.preprocessing
    return InverterMetadata(
        kind=kind,
        network=weights_fingerprint(context.model),
        layer=context.layers[0],
        maps=plan.maps,
        picture=plan.picture,
        width=plan.width,
        mean=tuple(preprocessing.mean),
        std=tuple(preprocessing.std),
        data=context.data.name if context.data else "",
        pictures=count,
        epochs=settings.epochs,
        seed=settings.seed,
        error=round(trained.error, 4),
    )


if __name__ == "__main__":
    run_script(main, "interrupted; this inverter was not written")
