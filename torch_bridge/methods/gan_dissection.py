"""GAN Dissection: which concept each unit of a generator paints, over pictures that the generator draws itself.

Bau et al. 2019, "GAN Dissection: Visualizing and Understanding Generative Adversarial Networks". `innerwalk
gan_dissect` also finds the units that cause a concept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..dissection.concept_units import category_numbers
from ..dissection.detector_charts import detector_chart
from ..dissection.unit_pictures import OUTSIDE
from ..gan_dissection.generator_layer import GeneratorLayer
from ..gan_dissection.segmenters import find_reader
from ..gan_dissection.unit_concepts import GeneratorDissection, Thresholds, dissect_units
from ..method_support.method import Method, MethodContext, Step, parameter
from ..method_support.picture_maps import picture_maps
from ..recording import CATEGORY
from .dissection import label


@dataclass(frozen=True)
class Parameters:
    """Which pictures are drawn, who says what they show, and what counts as a detector."""

    segmenter: str = parameter("", "Another network of the bridge that says what pixels show; by default exact masks")
    count: int = parameter(160, "Pictures that are drawn", 8, 100_000)
    thresholds: Thresholds = parameter(
        "information", "A unit's threshold: by information quality ratio for each concept, or by a share of positions"
    )
    quantile: float = parameter(0.005, "That share of positions", 1e-6, 0.5)
    threshold: float = parameter(0.04, "IoU from which on a unit is a detector and gets a label", 0.0, 1.0)
    seed: int = parameter(0, "Seed that draws the codes", 0, 2**31 - 1)


def gan_dissection(context: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """Draws pictures and compares units' masks with what they show. Maps: (C, H, W, 3) sRGB 0..1, as of `dissection`.

    Labels, extras and chart are also those of `dissection`. Raises ModelError, and InputError for a network that is no
    generator, or without a segmenter where one is needed.
    """
    name, reader = context.network.name, None
    done: dict[str, tuple[GeneratorDissection, GeneratorLayer]] = {}
    for number, layer in enumerate(context.layers):
        generator = GeneratorLayer(context.model, layer, context.arguments, name)
        codes = generator.codes(parameters.count, parameters.seed)
        if reader is None:
            reader = find_reader(parameters.segmenter, context.other_networks, generator, context.device)
        for found in dissect_units(generator, reader, codes, parameters.thresholds, parameters.quantile):
            if isinstance(found, GeneratorDissection):
                done[layer] = found, generator
            else:
                yield Step((number + found) / len(context.layers), f"pictures of {name} for {layer}")
    chart = detector_chart({layer: found.findings for layer, (found, _) in done.items()}, parameters.threshold)
    for layer, (found, generator) in done.items():
        numbers = context.selected_channels(layer)
        codes = generator.codes(parameters.count, parameters.seed)
        overlaps = np.array([found.findings[unit].best.iou for unit in numbers], np.float32)
        labels = [label(found.findings[unit].best, parameters.threshold) for unit in numbers]
        categories = category_numbers(found.findings, parameters.threshold)[list(numbers)]
        pictures = best_pictures(generator, found, codes, numbers)
        extras = {"values": overlaps, CATEGORY: categories}
        count = context.network.layer(layer).map_shape[0]
        maps = picture_maps(layer, GAN_DISSECTION.name, pictures, count, context.channels, labels, extras)
        yield Step(1.0, f"{found.pictures} pictures of {name}", (replace(maps, charts=(chart,)),))


def best_pictures(
    generator: GeneratorLayer, found: GeneratorDissection, codes: Tensor, units: tuple[int, ...]
) -> dict[int, np.ndarray]:
    """Returns by unit (H, W, 3) float32 sRGB 0..1: the picture in which it is most active, dark outside its mask."""
    rows = torch.from_numpy(found.best.pictures[list(units), 0])
    maps, pictures = generator.maps_and_pictures(codes[rows])
    large = F.interpolate(maps, pictures.shape[2:], mode="bilinear", align_corners=False)
    shown = {}
    for row, unit in enumerate(units):
        picture = pictures[row].clamp(0, 1).expand(3, -1, -1).permute(1, 2, 0).cpu().numpy()
        inside = (large[row, unit] > float(found.thresholds[unit])).cpu().numpy()[..., None]
        shown[unit] = np.where(inside, picture, picture * np.float32(OUTSIDE)).astype(np.float32)
    return shown


GAN_DISSECTION = Method(
    "gan_dissection",
    "GAN Dissection",
    "The concept that each channel of a generator paints, over pictures that it draws.",
    gan_dissection,
    Parameters,
)
