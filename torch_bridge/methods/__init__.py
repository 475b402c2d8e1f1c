"""Visualisation methods, one file each. A method computes maps of layers; the scene shows them on panels."""

from __future__ import annotations

from ..method_support.method import Method, MethodContext, Step, help_text, parameter_form, parse_parameters
from .activations import ACTIVATIONS
from .attention_rollout import ATTENTION_ROLLOUT
from .attribution_sanity import ATTRIBUTION_SANITY
from .attribution_scores import ATTRIBUTION_SCORES
from .average import AVERAGE
from .cam import CAM
from .concept_contribution import CONCEPT_CONTRIBUTION
from .concept_direction import CONCEPT_DIRECTION
from .concept_failures import CONCEPT_FAILURES
from .concept_losses import CONCEPT_LOSSES
from .contribution import CONTRIBUTION
from .deconvnet import DECONVNET
from .dgn_am import DGN_AM
from .dissection import DISSECTION
from .evidence import EVIDENCE
from .grad_cam import GRAD_CAM
from .gradient_x_input import GRADIENT_X_INPUT
from .guided_backprop import GUIDED_BACKPROP
from .health import HEALTH
from .integrated_gradients import INTEGRATED_GRADIENTS
from .inversion import INVERSION
from .layer_cam import LAYER_CAM
from .localisation import LOCALISATION
from .localisation_scores import LOCALISATION_SCORES
from .maximisation import MAXIMISATION
from .occlusion import OCCLUSION
from .rise import RISE
from .saliency import SALIENCY
from .smooth_grad import SMOOTH_GRAD
from .top_images import TOP_IMAGES
from .unit_history import UNIT_HISTORY
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
        SMOOTH_GRAD,
        GRADIENT_X_INPUT,
        INTEGRATED_GRADIENTS,
        GUIDED_BACKPROP,
        DECONVNET,
        CAM,
        GRAD_CAM,
        LAYER_CAM,
        RISE,
        ATTENTION_ROLLOUT,
        ATTRIBUTION_SCORES,
        ATTRIBUTION_SANITY,
        CONTRIBUTION,
        CONCEPT_DIRECTION,
        LOCALISATION,
        LOCALISATION_SCORES,
        TOP_IMAGES,
        DISSECTION,
        CONCEPT_CONTRIBUTION,
        CONCEPT_LOSSES,
        CONCEPT_FAILURES,
        HEALTH,
        EVIDENCE,
        INVERSION,
        UPCONVNET,
        MAXIMISATION,
        UNIT_HISTORY,
        DGN_AM,
    )
}
"""By name, in the order in which they are listed."""
