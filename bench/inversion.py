"""Reconstruction errors of trained inverters by layer, with all or fewer of the features.

`concepts` with the shipped network and inverters; MNIST's test digits with a LeNet-5, whose inverters are trained here
if INNERWALK_DATA holds both. 1 is the mean squared distance of two pictures: the mean picture has an error of 0.5.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..torch_bridge.data import open_data
from ..torch_bridge.inputs.pixels import Pixels
from ..torch_bridge.inverters import train
from ..torch_bridge.inverters.distances import feature_error, load_picture, mean_pair_distance
from ..torch_bridge.inverters.gradient_descent import InversionDescent, InversionObjective, start_noise
from ..torch_bridge.inverters.inverter_files import WEIGHTS_FOLDER, Inverter, read_inverter
from ..torch_bridge.inverters.inverter_training import InvertedLayer, InverterTraining
from ..torch_bridge.inverters.perturbations import Perturbation, perturb_maps
from ..torch_bridge.methods import MethodContext
from ..torch_bridge.models.fingerprint import weights_fingerprint
from ..torch_bridge.probing.partial_forward import PartialForward
from ..torch_bridge.server.config import serve_config

KEPT: tuple[Perturbation, ...] = ("plain", "drop_least", "binarise", "dropout", "drop_top")
PICTURES, INVERTED = 200, 4
DIGITS = ("convnet.s2", "convnet.s4", "convnet.relu5", "fc.relu6", "fc.f7")
LENET = "innerwalk.tests.support.own_models:LeNet5"


def measure() -> dict[str, Any]:
    """Returns the errors by network and layer."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    files = [WEIGHTS_FOLDER / f"object-{layer.replace(':', '-')}.safetensors" for layer in train.SHIPPED_LAYERS]
    found = table("concepts", "object", "concepts:object:test", files)
    folder = Path(os.environ.get("INNERWALK_DATA", ""))
    if os.environ.get("INNERWALK_DATA") and folder.is_dir():
        with tempfile.TemporaryDirectory() as scratch:
            found |= digits(folder, Path(scratch))
    return found


def digits(folder: Path, scratch: Path) -> dict[str, Any]:
    """Returns the errors of LeNet-5, whose inverters are trained on other digits than those they are tested on."""
    network, data = f"{LENET}={folder / 'weights' / 'mnist_lenet5.safetensors'}", str(folder / "mnist_t10k")
    files = [scratch / f"{layer}.safetensors" for layer in DIGITS]
    for layer, file in zip(DIGITS, files, strict=True):
        settings = InverterTraining(4000, 8, rate=5e-3, width=32)
        train.train_to_file(train.InverterJob(network, layer, data), settings, file)
    return table("digits", network, data, files)


def table(name: str, network: str, where: str, files: list[Path]) -> dict[str, Any]:
    """Returns a row of errors for each layer."""
    (spec,) = serve_config([network]).networks.values()
    work = train.make_training_context(
        spec, read_inverter(files[0]).metadata.layer, open_data(where), torch.device("cpu")
    )
    assert work.data is not None and read_inverter(files[0]).metadata.network == weights_fingerprint(work.model)
    last = range(len(work.data) - PICTURES, len(work.data))
    pictures = torch.stack([load_picture(work, index) for index in last])
    return {f"{name}, {row.metadata.layer}": _row(work, row, pictures) for row in map(read_inverter, files)}


def _row(work: MethodContext, inverter: Inverter, pictures: Tensor) -> dict[str, float]:
    layer, scale = inverter.metadata.layer, mean_pair_distance(pictures)
    code = InvertedLayer(work.model, work.arguments_with, layer).maps_function(pictures[:1], layer)

    def error(maps: Tensor) -> float:
        return float((inverter.net(maps) - pictures).flatten(1).square().sum(1).mean()) / scale

    with torch.no_grad():
        maps, random = code(pictures), torch.Generator().manual_seed(0)
        found: dict[str, float] = {how: error(perturb_maps(maps, how, random)) for how in KEPT}
        found["another picture's"] = error(maps.roll(1, 0))
        found["features"] = float(
            torch.stack([feature_error(code(inverter.net(sample[None])), sample[None]) for sample in maps[:20]]).mean()
        )
    return found | dict(zip(("regularised", "its features"), _regularised(work, layer, pictures, scale), strict=True))


def _regularised(work: MethodContext, layer: str, pictures: Tensor, scale: float) -> tuple[float, float]:
    """Returns the mean picture and feature error of gradient descent on the first pictures."""
    errors = []
    reach = PartialForward(work.model, [layer], work.arguments)
    for picture in pictures[:INVERTED]:
        pixels = Pixels(work.preprocessing, picture[None])
        with torch.no_grad():
            maps = reach(work.arguments_with(picture[None])).maps[layer]
        goal = InversionObjective(reach, work.arguments_with, layer, maps, tuple(range(maps.shape[1])), pixels, 0.1)
        descent = InversionDescent(goal, start_noise(pixels, 0, work.device))
        list(descent.steps())
        off = float((pixels.to_network(descent.brightness) - picture).square().sum()) / scale
        errors.append((off, float(descent.errors.mean())))
    return tuple(torch.tensor(errors).mean(0).tolist())  # type: ignore[return-value]
