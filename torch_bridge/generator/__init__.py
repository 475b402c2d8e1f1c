"""A generator of pictures that ships with the project, and the segmenter that finds the concepts in its pictures.

`generator.load("generator")` draws pictures of codes, `generator.load("segmenter")` says what each pixel shows.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..recording.errors import UnknownName
from .coded_pictures import CHOICES, CODE_LENGTH, CONCEPT_NAMES, CodedPicture, draw_code, paint_code

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "CODE_LENGTH",
    "CONCEPT_NAMES",
    "DEFAULT_INDEX",
    "DEFAULT_SEED",
    "PARTS",
    "WEIGHTS_FOLDER",
    "CodedPicture",
    "draw_code",
    "load",
    "network",
    "paint_code",
    "weights_path",
]

WEIGHTS_FOLDER = Path(__file__).parent / "weights"
PARTS = ("generator", "segmenter")
DEFAULT_SEED, DEFAULT_INDEX = 1, 0
"""Seed of the generator's default code, and index of the segmenter's default picture in the validation split."""


def weights_path(part: str) -> Path:
    """Returns the file of the trained weights of a part. Raises UnknownName."""
    if part not in PARTS:
        raise UnknownName("network of generator", part, PARTS)
    return WEIGHTS_FOLDER / f"{part}.safetensors"


def network(part: str = "generator") -> nn.Module:
    """Returns an untrained network: the generator, codes (N, CODE_LENGTH) -> pictures (N, 3, 64, 64) float32 in -1..1,

    or the segmenter, pictures (N, 3, H, W) -> logits (N, concepts, H, W) of CONCEPT_NAMES. Raises UnknownName.
    """
    weights_path(part)
    if part == "generator":
        from .picture_generator import ConceptsGenerator

        return ConceptsGenerator(CODE_LENGTH, tuple(CHOICES.values()))
    from .segmenter_net import ConceptsSegmenter

    return ConceptsSegmenter(len(CONCEPT_NAMES))


def load(part: str = "generator") -> nn.Module:
    """Returns the trained generator or segmenter, in evaluation mode. Raises UnknownName."""
    from ..models.weights import load_weights

    model = network(part)
    load_weights(model, weights_path(part))
    return model.eval()
