"""Visualisation methods, one file each. A method computes maps of layers; the scene shows them on panels."""

from __future__ import annotations

from ..method_support.method import Method, MethodContext, Step, help_text, parameter_form, parse_parameters
from .activations import ACTIVATIONS
from .average import AVERAGE
from .cam import CAM
from .contribution import CONTRIBUTION
from .deconvnet import DECONVNET
from .dgn_am import DGN_AM
from .evidence import EVIDENCE
from .grad_cam import GRAD_CAM
from .guided_backprop import GUIDED_BACKPROP
from .health import HEALTH
from .inversion import INVERSION
from .localisation import LOCALISATION
from .localisation_scores import LOCALISATION_SCORES
from .maximisation import MAXIMISATION
from .occlusion import OCCLUSION
from .saliency import SALIENCY
from .top_images import TOP_IMAGES
from .upconvnet import UPCONVNET
from .weights import WEIGHTS

__all__ = ["METHODS", "Method", "MethodContext", "Step", "help_text", "parameter_form", "parse_parameters"]

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        ACTIVATIONS,
        WEIGHTS,
        AVERAGE,
        OCCLUSION,
        SALIENCY,
        GUIDED_BACKPROP,
        DECONVNET,
        CAM,
        GRAD_CAM,
        CONTRIBUTION,
        LOCALISATION,
        LOCALISATION_SCORES,
        TOP_IMAGES,
        HEALTH,
        EVIDENCE,
        INVERSION,
        UPCONVNET,
        MAXIMISATION,
        DGN_AM,
    )
}
"""By name, in the order in which they are listed."""
