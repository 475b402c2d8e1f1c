"""Visualisation methods, one file each. A method computes maps of layers; the scene shows them on panels."""

from __future__ import annotations

from ..method_support.method import Method, MethodContext, Step, help_text, parameter_form, parse_parameters
from .activations import ACTIVATIONS
from .artefact_units import ARTEFACT_UNITS
from .attention_rollout import ATTENTION_ROLLOUT
from .attribution_sanity import ATTRIBUTION_SANITY
from .attribution_scores import ATTRIBUTION_SCORES
from .average import AVERAGE
from .cam import CAM
from .concept_contribution import CONCEPT_CONTRIBUTION
from .concept_direction import CONCEPT_DIRECTION
from .concept_failures import CONCEPT_FAILURES
from .concept_losses import CONCEPT_LOSSES
from .concept_vectors import CONCEPT_VECTORS
from .contribution import CONTRIBUTION
from .deconvnet import DECONVNET
from .dgn_am import DGN_AM
from .dissection import DISSECTION
from .evidence import EVIDENCE
from .gan_dissection import GAN_DISSECTION
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

__all__ = [
    "METHODS",
    "QUESTIONS",
    "Method",
    "MethodContext",
    "Step",
    "help_text",
    "parameter_form",
    "parse_parameters",
    "question_of",
]

QUESTIONS: dict[str, tuple[Method, ...]] = {
    "What does it compute?": (ACTIVATIONS, WEIGHTS, AVERAGE),
    "What in this picture made it fire?": (
        SALIENCY,
        GUIDED_BACKPROP,
        DECONVNET,
        OCCLUSION,
        SMOOTH_GRAD,
        GRADIENT_X_INPUT,
        INTEGRATED_GRADIENTS,
        RISE,
    ),
    "Where is the evidence for a class?": (GRAD_CAM, LAYER_CAM, CAM, ATTENTION_ROLLOUT, LOCALISATION),
    "Can these answers be trusted?": (ATTRIBUTION_SCORES, ATTRIBUTION_SANITY, LOCALISATION_SCORES),
    "What made the prediction?": (CONTRIBUTION, CONCEPT_CONTRIBUTION, CONCEPT_FAILURES, CONCEPT_LOSSES),
    "Which concepts does it know?": (DISSECTION, CONCEPT_VECTORS, CONCEPT_DIRECTION, GAN_DISSECTION, ARTEFACT_UNITS),
    "What does it look for?": (TOP_IMAGES, EVIDENCE, MAXIMISATION, UNIT_HISTORY, DGN_AM),
    "What does it keep of the input?": (INVERSION, UPCONVNET),
    "Is the network healthy?": (HEALTH,),
}
"""All methods, in the order in which they are listed, by the question that they answer."""
METHODS: dict[str, Method] = {method.name: method for methods in QUESTIONS.values() for method in methods}
"""By name, in the same order."""


def question_of(name: str) -> str:
    """Returns the question that a method answers; "" for a method that isn't listed."""
    return next((question for question, methods in QUESTIONS.items() if name in {each.name for each in methods}), "")
