"""Train inverters of a network's layers on a data set; seeded, the same file for the same words.

python -m innerwalk.torch_bridge.inverters.train object stage2.1:add --data concepts:object:train -o stage2.safetensors
python -m innerwalk.torch_bridge.inverters.train resnet18=mine.pt layer4 --prior --data ~/pictures -o prior.safetensors
python -m innerwalk.torch_bridge.inverters.train --shipped
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from ..capture.recorder import record
from ..concepts.train import Progress
from ..data import DataSet, open_data, random_indices
from ..inputs.pixels import Pixels
from ..inputs.sources import NamedContent
from ..methods import MethodContext
from ..models.device import choose_device, to_device
from ..models.fingerprint import weights_fingerprint
from ..recording import Network, Recording
from ..recording.errors import InnerwalkError, InputError
from ..server.allocator import keep_memory
from ..server.config import serve_config
from ..subject import RecordSpec, noise, prepare
from .distances import picture_of
from .files import COMMAND, SHIPPED, SUFFIX, Facts, write
from .fit import Pictures, Recipe, Subject, Trained, fit

LAYERS = ("stem.norm", "stage1.1:add", "stage2.1:add", "stage3.1:add", "fc")
"""Those of the default network that come with trained inverters."""
PRIOR, LIKE = "stage2.1:add", "stage1.1.relu2"
DATA = "concepts:object:train"
WORDS = {
    "pictures": "at most so many", "epochs": "times they are seen", "batch": "pictures at a time",
    "width": "channels of the last maps", "seed": "of everything random", "rate": "of learning, at its peak",
}  # fmt: skip
LEAST = 10
"""Pictures that a training needs."""
ONE_LIKE = 0.1
"""Usual weight of the maps' error in a prior's training."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if not given.shipped and None in (given.network, given.layer, given.data, given.output):
        parser.error("NETWORK, LAYER, --data and -o are needed, or --shipped alone")
    try:
        for words, recipe, output in _shipped() if given.shipped else [_asked(given)]:
            told = train(words, recipe, output, given.device)
            sys.stderr.write(f"{output}: {told}\n")
    except InnerwalkError as problem:
        sys.stderr.write(f"{COMMAND}: {problem}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=COMMAND, description="Train a network from a layer's maps back to pictures.")
    parser.add_argument("network", nargs="?", metavar="NETWORK[=WEIGHTS]", help="as for record: object, resnet18=x.pt")
    parser.add_argument("layer", nargs="?", metavar="LAYER", help="its id")
    parser.add_argument(
        "--data", metavar="WHERE", help="a folder of pictures, a .zip, idx files, concepts:object:train"
    )
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="a .safetensors file")
    parser.add_argument("--prior", action="store_true", help="for dgn_am: pictures must have the true ones' maps, too")
    parser.add_argument("--like", metavar="LAYER", help="with --prior: where these maps are compared (half way there)")
    parser.add_argument("--shipped", action="store_true", help="make those that come with innerwalk")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or mps; on cpu the file is the same each time (cpu)")
    for name, text in WORDS.items():
        default = getattr(Recipe, name)
        parser.add_argument(f"--{name}", type=type(default), default=default, help=f"{text} ({default})")
    return parser


Words = tuple[str, str, str, str]
"""NETWORK, LAYER, data, and for a prior the layer that it must be like."""


def _asked(given: argparse.Namespace) -> tuple[Words, Recipe, Path]:
    """What was said. Raises InputError."""
    for name, least in (("pictures", 3), ("epochs", 1), ("batch", 1), ("width", 1), ("seed", 0), ("rate", 1e-12)):
        if not least <= getattr(given, name) <= 2**31:
            raise InputError(f"--{name} {getattr(given, name)}: at least {least:g} is needed")
    recipe = Recipe(**{name: getattr(given, name) for name in WORDS}, like=ONE_LIKE if given.prior else 0.0)
    return (given.network, given.layer, given.data, given.like or ""), recipe, given.output


def _shipped() -> list[tuple[Words, Recipe, Path]]:
    recipes = (Recipe(2000), Recipe(width=24), Recipe(width=24), Recipe(), Recipe(width=8))
    plain = [
        (("object", layer, DATA, ""), recipe, SHIPPED / f"object-{_file(layer)}")
        for layer, recipe in zip(LAYERS, recipes, strict=True)
    ]
    prior = Recipe(3000, width=24, like=ONE_LIKE)
    return [*plain, (("object", PRIOR, DATA, LIKE), prior, SHIPPED / f"object-prior-{_file(PRIOR)}")]


def _file(layer: str) -> str:
    return layer.replace(":", "-") + SUFFIX


def train(words: Words, recipe: Recipe, output: Path, device: str = "cpu") -> str:
    """Train one and write it; nothing is written before the end. Returns a line about it.

    Raises InputError, ModelError or UnknownName.
    """
    network, layer, where, like = words
    if output.suffix != SUFFIX:
        raise InputError(f"{output}: an inverter's file ends with {SUFFIX}")
    (spec,) = serve_config([network]).networks.values()
    work = _work(spec, layer, open_data(where), choose_device(device))
    if recipe.like and like not in work.network.by_id:
        like = _half_way(work.network, layer) if not like else work.network.layer(like).id
    pictures = _pictures(work, recipe)
    training: list[Progress] = []

    def step(done: int, total: int) -> None:
        training[:] = training or [Progress(f"training {layer}", total)]
        training[0].step()

    made = fit(Subject(work.model, work.arguments_with, layer, like), pictures, recipe, step)
    facts = _facts(work, recipe, len(pictures.bytes), made)
    write(output, facts, made.net, made.codes)
    return f"{facts.kind} of {layer}, picture error {made.error:.3f}, {output.stat().st_size / 1e3:,.0f} kB"


def _work(spec: RecordSpec, layer: str, data: DataSet, device: torch.device) -> MethodContext:
    """The network with its usual input. Raises UnknownName for a layer that isn't there."""
    subject = prepare(spec)
    model, feeder = subject.built.module.to(device), subject.adapter
    sources = list(spec.inputs) or list(noise(subject.built, spec.seed))

    def feed(picture: Any) -> tuple[Any, ...]:
        named = [NamedContent("a picture", picture), *sources[1:]]
        return to_device(feeder.arguments(feeder.read(named, 0)), device)

    def again(arguments: tuple[Any, ...], layers: Sequence[str]) -> Recording:
        return record(model, arguments, layers=list(layers))

    arguments = feed(data.picture(0))
    network = again(arguments, ()).network
    layers = (network.layer(layer).id,)
    return MethodContext(model, arguments, network, layers, (), again, feed, data, device, feeder.preprocessing, subject.names)


def _half_way(network: Network, layer: str) -> str:
    """A layer with sides half way to this one. Raises InputError where there is none."""
    ids = [one.id for one in network.layers if one.role != "input"]
    before = [one for one in ids[: ids.index(layer)] if network.layer(one).map_shape[1:] != (1, 1)]
    if not before:
        raise InputError(f"no layer with sides comes before {layer}; --like names one whose maps are compared")
    return before[len(before) // 2]


def _pictures(work: MethodContext, recipe: Recipe) -> Pictures:
    """Those of the data that the network may see, drawn. Raises InputError where they are too few or of many sizes."""
    data, shape = work.data, work.picture.shape[1:]
    assert data is not None
    chosen = random_indices(data, recipe.pictures, recipe.seed)
    if len(chosen) < LEAST:
        raise InputError(f"data set {data.name} has {len(chosen)} pictures; at least {LEAST} are needed")
    pixels, reading = Pixels(work.preprocessing, work.picture), Progress("reading pictures", len(chosen))
    bytes = torch.zeros((len(chosen), *shape), dtype=torch.uint8)
    for number, index in enumerate(chosen):
        picture = picture_of(work, index)
        if picture.shape != shape:
            raise InputError(f"{data.title(index)} has another size than the first picture; the network must take one")
        bytes[number] = (pixels.to_brightness(picture[None])[0].clamp(0, 1) * 255).round().byte().cpu()
        reading.step()
    return Pictures(bytes, pixels.mean, pixels.std)


def _facts(work: MethodContext, recipe: Recipe, count: int, made: Trained) -> Facts:
    plan, how, name = made.net.plan, work.preprocessing, work.data.name if work.data else ""
    return Facts(
        "prior" if recipe.like else "inverter", weights_fingerprint(work.model), work.layers[0], plan.maps, plan.picture,
        plan.width, tuple(how.mean), tuple(how.std), name, count, recipe.epochs, recipe.seed, round(made.error, 4),
    )  # fmt: skip


if __name__ == "__main__":
    torch.set_flush_denormal(True)
    keep_memory()
    with suppress(KeyboardInterrupt):
        sys.exit(main())
    sys.stderr.write("\nended; nothing was written\n")
    sys.exit(130)
