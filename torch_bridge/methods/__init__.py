"""Methods: what can be asked about a layer. One file each; whatever they are, the scene sees maps on panels."""

from __future__ import annotations

from .activations import ACTIVATIONS
from .average import AVERAGE
from .method import Method, Step, Work, chosen, form, sheet
from .occlusion import OCCLUSION
from .weights import WEIGHTS

__all__ = ["METHODS", "Method", "Step", "Work", "chosen", "form", "sheet"]

METHODS = {method.name: method for method in (ACTIVATIONS, WEIGHTS, AVERAGE, OCCLUSION)}
