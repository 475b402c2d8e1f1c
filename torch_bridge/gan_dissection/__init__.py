"""GAN Dissection: which units of a generator paint a concept, and what changing them does (Bau et al. 2019)."""

from .generator_layer import GeneratorLayer, convolution_layers
from .segmenters import ExactMasks, NetworkSegmenter
from .unit_concepts import GeneratorDissection, dissect_units

__all__ = [
    "ExactMasks",
    "GeneratorDissection",
    "GeneratorLayer",
    "NetworkSegmenter",
    "convolution_layers",
    "dissect_units",
]
