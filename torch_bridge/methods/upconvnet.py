"""UpconvNet: what a network that was trained for it sees in a layer's maps; the mean of the pictures they may be of.

Dosovitskiy and Brox 2016, "Inverting Visual Representations with Convolutional Networks". What a layer has forgotten
comes out blurred.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from ..inputs.pixels import Pixels
from ..inverters.distances import Yardstick, feature_error
from ..inverters.files import Wanted, find, read
from ..method_support.inversion_target import InversionParameters, find_inversion_target, inversion_maps
from ..method_support.method import Method, MethodContext, Step, parameter
from ..models.fingerprint import fingerprint
from ..probing.partial_forward import PartialForward
from ..recording import Maps


@dataclass(frozen=True)
class Parameters(InversionParameters):
    """What is kept, and by what it is turned into a picture."""

    file: str = parameter("", "A trained inverter, or a folder of them; empty: those that come with innerwalk")


def upconvnet(work: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """A picture for each layer that there is a trained inverter of. Raises ModelError where there is none."""
    pixels = Pixels(work.how, work.picture)
    wanted = Wanted("inverter", fingerprint(work.model), work.network.name, pixels.shape, work.how)
    found = find(parameters.file, wanted, work.layers)
    scale = Yardstick(work, parameters.seed)
    for told in scale.looking():
        yield Step(0.0, told)
    for number, (layer, path) in enumerate(found.items(), 1):
        maps = _inverted(work, layer, path, pixels, scale, parameters)
        yield Step(number / len(found), f"{layer} is inverted", (maps,))
    if missing := len(work.layers) - len(found):
        yield Step(1.0, f"{len(found)} layers are inverted, of {missing} others no inverter is trained")


def _inverted(
    work: MethodContext, layer: str, path: Path, pixels: Pixels, scale: Yardstick, parameters: Parameters
) -> Maps:  # fmt: skip
    reach = PartialForward(work.model, [layer], work.arguments)
    code = find_inversion_target(work, reach, layer, parameters)
    with torch.no_grad():
        shares = pixels.shares(read(path).net.to(work.device)(code.maps)).clamp(*pixels.range)
        maps = reach(work.given(pixels.values(shares))).maps[layer].float()
        chosen = list(code.channels)
        errors = feature_error(maps[:, chosen], code.maps[:, chosen])
    return inversion_maps(work, layer, UPCONVNET.name, pixels, shares, errors, scale)


UPCONVNET = Method(
    "upconvnet", "UpconvNet", "The picture that a trained network sees in the layer's maps; what is lost is blurred.",
    upconvnet, Parameters,
)  # fmt: skip
