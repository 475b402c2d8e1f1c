"""UpconvNet: the picture that a trained up-convolutional network predicts from a layer's maps, f(A) = E[x | A].

Dosovitskiy and Brox 2016, "Inverting Visual Representations with Convolutional Networks". The prediction is the mean of
the possible inputs, so what the layer has lost comes out blurred.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from ..inputs.pixels import Pixels
from ..inverters.distances import PictureErrorScale, feature_error
from ..inverters.inverter_files import InverterQuery, find_inverters, read_inverter
from ..method_support.inversion_target import InversionParameters, find_inversion_target, inversion_maps
from ..method_support.method import Method, MethodContext, Step, parameter
from ..models.fingerprint import weights_fingerprint
from ..probing.partial_forward import PartialForward
from ..recording import Maps


@dataclass(frozen=True)
class Parameters(InversionParameters):
    """Which values are kept, and which inverter is used."""

    file: str = parameter("", "A trained inverter, or a folder of them; empty: those that come with Innerwalk")


def upconvnet(context: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """Inverts each layer that has a trained inverter. Maps: one picture (H, W, 3) sRGB 0..1 for the whole layer.

    Extra "values": (1,) float32, the picture error, 1 for two unlike pictures. Raises ModelError if there is no
    inverter.
    """
    pixels = Pixels(context.preprocessing, context.picture)
    wanted = InverterQuery(
        "inverter", weights_fingerprint(context.model), context.network.name, pixels.shape, context.preprocessing
    )
    files = find_inverters(parameters.file, wanted, context.layers)
    scale = PictureErrorScale(context, parameters.seed)
    for message in scale.measure():
        yield Step(0.0, message)
    for number, (layer, path) in enumerate(files.items(), 1):
        maps = _invert(context, layer, path, pixels, scale, parameters)
        yield Step(number / len(files), f"{layer} is inverted", (maps,))
    if missing := len(context.layers) - len(files):
        yield Step(1.0, f"layers inverted: {len(files)}; without a trained inverter: {missing}")


def _invert(
    context: MethodContext, layer: str, path: Path, pixels: Pixels, scale: PictureErrorScale, parameters: Parameters
) -> Maps:
    forward = PartialForward(context.model, [layer], context.arguments, context.positions)
    target = find_inversion_target(context, forward, layer, parameters)
    with torch.no_grad():
        brightness = pixels.to_brightness(read_inverter(path).net.to(context.device)(target.maps)).clamp(*pixels.range)
        maps = forward(context.arguments_with(pixels.to_network(brightness))).maps[layer].float()
        channels = list(target.channels)
        errors = feature_error(maps[:, channels], target.maps[:, channels])
    result = inversion_maps(context, layer, UPCONVNET.name, pixels, brightness, errors, scale, target.note)
    return replace(result, **forward.layouts[layer].place())


UPCONVNET = Method(
    "upconvnet",
    "UpconvNet",
    "The picture that a trained network predicts from the layer's maps; what the layer has lost is blurred.",
    upconvnet,
    Parameters,
)
