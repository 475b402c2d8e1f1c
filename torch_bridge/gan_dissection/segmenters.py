"""What the pixels of generated pictures show: exactly, for the generator of the project, or as a segmenter says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..concepts.vocabulary import ALL_CONCEPTS
from ..data.labelled import Concept
from ..generator.coded_pictures import CODE_LENGTH, paint_code
from ..recording.errors import InputError, UnknownName
from .generator_layer import GeneratorLayer

KNOWN_CATEGORIES = {name: category for category, name in ALL_CONCEPTS}


class PixelReader(Protocol):
    """Says which concepts the pixels of generated pictures show."""

    concepts: tuple[Concept, ...]

    def shown(self, pictures: Tensor, codes: Tensor) -> Tensor:
        """Returns (N, L, H, W) bool: whether a pixel shows a concept. pictures: (N, C, H, W) 0..1. codes: (N, …)."""
        ...


class ExactMasks:
    """What the painter of the shipped generator's pictures would show for the same codes, in six categories."""

    concepts = tuple(Concept(name, category) for category, name in ALL_CONCEPTS)

    def shown(self, pictures: Tensor, codes: Tensor) -> Tensor:
        """Returns (N, 39, H, W) bool. Raises InputError for codes of another generator."""
        if codes[0].numel() != CODE_LENGTH:
            raise InputError(
                f"exact masks are known for codes of {CODE_LENGTH} numbers, those of the shipped generator, not "
                f"{codes[0].numel()}; name a segmenter"
            )
        found = np.zeros((len(codes), len(self.concepts), *pictures.shape[2:]), bool)
        for row, code in enumerate(codes.flatten(1).cpu().numpy()):
            maps = paint_code(code, pictures.shape[3]).maps
            start = 0
            for own, category in zip(maps, dict.fromkeys(category for category, _ in ALL_CONCEPTS), strict=True):
                count = sum(known == category for known, _ in ALL_CONCEPTS)
                found[row, start : start + count] = own[None] == np.arange(1, count + 1)[:, None, None]
                start += count
        return torch.from_numpy(found)


class NetworkSegmenter:
    """A network from pictures to scores of classes at each pixel, or of the whole picture."""

    def __init__(self, subject: Any, pictures: Tensor, device: torch.device) -> None:
        """subject: the network with its preprocessing and class names. pictures: (N, C, H, W) 0..1 to try it on.

        Raises InputError for a network that is no segmenter of the named classes.
        """
        self.model: nn.Module = subject.built.module.to(device).eval()
        self.preprocessing, name = subject.adapter.preprocessing, subject.built.name
        names = list(subject.names.names)
        with torch.no_grad():
            scores = self._scores(pictures[:1], name)
        if scores.dim() not in (2, 4):
            raise InputError(
                f"{name} is no segmenter: its output {tuple(scores.shape)} isn't scores (N, classes, H, W)"
            )
        if scores.shape[1] != len(names):
            raise InputError(
                f"segmenter {name} scores {scores.shape[1]} classes, but {len(names)} are named; "
                'name as many by "classes": in its weights file, or on a bridge in its settings'
            )
        if not scores.isfinite().all():
            raise InputError(f"segmenter {name}: some of its scores are NaN or infinite")
        self.concepts = tuple(Concept(own, KNOWN_CATEGORIES.get(own, "object")) for own in names)

    def _scores(self, pictures: Tensor, name: str = "") -> Tensor:
        """Returns the network's output for pictures (N, C, H, W) 0..1."""
        own = self.preprocessing
        values = pictures.expand(-1, own.channels, -1, -1) if pictures.shape[1] == 1 else pictures
        if values.shape[1] != own.channels:
            values = values.mean(1, keepdim=True)
        if own.size and tuple(own.size) != tuple(values.shape[2:]):
            values = F.interpolate(values, own.size, mode="bilinear", align_corners=False)
        mean, std = (torch.tensor(numbers, device=values.device)[:, None, None] for numbers in (own.mean, own.std))
        try:
            output = self.model((values - mean) / std)
        except RuntimeError as error:
            raise InputError(f"segmenter {name} fails on pictures {tuple(values.shape)}: {error}"[:300]) from None
        if not isinstance(output, Tensor):
            raise InputError(f"{name} is no segmenter: its output isn't one tensor of scores")
        return output

    def shares(self, pictures: Tensor) -> Tensor:
        """Returns (N, L, H, W) float32: the probability of each concept at each pixel; with gradients."""
        shares = self._scores(pictures).softmax(1)
        if shares.dim() == 2:
            return shares[:, :, None, None].expand(-1, -1, *pictures.shape[2:])
        if shares.shape[2:] != pictures.shape[2:]:
            shares = F.interpolate(shares, pictures.shape[2:], mode="bilinear", align_corners=False)
        return shares

    def shown(self, pictures: Tensor, codes: Tensor) -> Tensor:
        """Returns (N, L, H, W) bool: whether a concept is the most probable one."""
        with torch.no_grad():
            best = torch.cat([self.shares(part).argmax(1) for part in pictures.split(32)])
        return torch.stack([best == number for number in range(len(self.concepts))], 1).cpu()


def find_reader(
    name: str, networks: Mapping[str, Any], generator: GeneratorLayer, device: torch.device
) -> ExactMasks | NetworkSegmenter:
    """Returns what says of a generator's pictures what they show: the network of this name, or exact masks for "".

    networks: those that are served beside the generator, by name. Raises UnknownName, or InputError for a generator
    whose exact masks aren't known.
    """
    codes = generator.codes(1, 0)
    maps, pictures = generator.maps_and_pictures(codes)
    if name:
        if name not in networks:
            raise UnknownName("network of the bridge beside the generator", name, networks)
        return NetworkSegmenter(networks[name], pictures, device)
    reader = ExactMasks()
    reader.shown(pictures, codes)
    return reader
