"""Runs a network up to chosen layers with gradients and changes; receptive fields; rules for ReLU gradients."""

from .aliasing import StridedConv, aliased_energy, aliased_kernel_share, checkerboard_energy, find_strided_conv
from .crops import CropFrame, OutsideStyle, crop_picture, overlay_maps, shade_outside
from .partial_forward import ChannelFill, PartialForward, PartialResult, batched_maps
from .receptive_field import (
    ReceptiveFields,
    compute_receptive_fields,
    coordinate_planes,
    fields_from_traces,
    trace_plane,
)
from .relu_rules import ReluRuleMode, Rule, relu_rule

__all__ = [
    "ChannelFill",
    "CropFrame",
    "OutsideStyle",
    "PartialForward",
    "PartialResult",
    "ReceptiveFields",
    "ReluRuleMode",
    "Rule",
    "StridedConv",
    "aliased_energy",
    "aliased_kernel_share",
    "batched_maps",
    "checkerboard_energy",
    "compute_receptive_fields",
    "coordinate_planes",
    "crop_picture",
    "fields_from_traces",
    "find_strided_conv",
    "overlay_maps",
    "relu_rule",
    "shade_outside",
    "trace_plane",
]
