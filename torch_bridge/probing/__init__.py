"""Runs a network up to chosen layers with gradients and changes; receptive fields; rules for ReLU gradients."""

from .partial_forward import ChannelFill, PartialForward, PartialResult, batched_maps
from .receptive_field import ReceptiveFields, compute_receptive_fields
from .relu_rules import ReluRuleMode, Rule, relu_rule

__all__ = [
    "ChannelFill",
    "PartialForward",
    "PartialResult",
    "ReceptiveFields",
    "ReluRuleMode",
    "Rule",
    "batched_maps",
    "compute_receptive_fields",
    "relu_rule",
]
