"""Artefact units: channels of a generator that are most active in the pictures that people have voted wrong.

Bau et al. 2019, section 4.3. `innerwalk gan_dissect --votes` takes the votes of many people from a file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..dissection.unit_pictures import OUTSIDE
from ..gan_dissection.artefact_votes import parse_votes, rank_artefact_units
from ..gan_dissection.generator_layer import GeneratorLayer
from ..method_support.method import Method, MethodContext, Step, parameter
from ..method_support.picture_maps import picture_maps
from ..recording import CATEGORY

LABEL = "artefact"
LIT = 0.1
"""Share of a picture's pixels that stay lit: those where the unit is most active."""


@dataclass(frozen=True)
class Parameters:
    """Which pictures are wrong, and how many channels are labelled."""

    votes: str = parameter("", "Seeds of pictures with 1 for an artefact and 0 for none, such as 3:1, 7:0, 9:1, 12:0")
    top: int = parameter(5, "Channels of each layer that are labelled", 1, 10_000)


def artefact_units(context: MethodContext, parameters: Parameters) -> Iterator[Step]:
    """Ranks channels by how much more active they are in the pictures of noise:SEED that most votes call wrong.

    Maps: (C, H, W, 3) sRGB 0..1, of the pictures voted about the one in which a channel is most active, dark but for
    the tenth where it is highest. The number "value" is the difference of mean activations, in standard deviations.
    Raises InputError for too few votes, or for a network that is no generator; ModelError.
    """
    votes = parse_votes(parameters.votes)
    for number, layer in enumerate(context.layers, 1):
        generator = GeneratorLayer(context.model, layer, context.arguments, context.network.name)
        numbers = list(context.selected_channels(layer))
        maps, pictures = generator.maps_and_pictures(generator.codes_of(votes))
        scores = rank_artefact_units(maps, np.array(list(votes.values())))
        first = set(np.argsort(-scores, kind="stable")[: parameters.top].tolist())
        labels = [f"{LABEL} {scores[unit]:.2f}" if unit in first else "" for unit in numbers]
        shown = {unit: most_active(maps[:, unit], pictures) for unit in numbers}
        marked = np.array([unit in first for unit in numbers], np.int32)
        extras = {"values": scores[numbers].astype(np.float32), CATEGORY: marked}
        found = picture_maps(layer, ARTEFACT_UNITS.name, shown, generator.units, context.channels, labels, extras)
        yield Step(number / len(context.layers), f"{len(votes)} pictures of {context.network.name}", (found,))


def most_active(maps: Tensor, pictures: Tensor) -> np.ndarray:
    """Returns (H, W, 3) float32 sRGB 0..1: the picture in which a unit is most active, dark but for its LIT share.

    maps: (N, h, w) of the unit. pictures: (N, 1 | 3, H, W) 0..1.
    """
    best = int(maps.flatten(1).amax(1).argmax())
    large = F.interpolate(maps[best][None, None], pictures.shape[2:], mode="bilinear", align_corners=False)[0, 0]
    picture = pictures[best].clamp(0, 1).expand(3, -1, -1)
    lit = torch.where(large > large.quantile(1 - LIT), picture, picture * OUTSIDE)
    shown: np.ndarray = lit.permute(1, 2, 0).cpu().numpy()
    return shown


ARTEFACT_UNITS = Method(
    "artefact_units",
    "Artefact units",
    "The channels of a generator that are most active in pictures which people have voted wrong.",
    artefact_units,
    Parameters,
)
