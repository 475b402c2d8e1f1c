"""Builds networks by name, factory or exported program, loads weights and chooses a device."""

from .build import BuiltModel, build_model
from .device import choose_device, leave_one_core_free, to_device
from .fingerprint import weights_fingerprint
from .torchvision_import import import_torchvision
from .weights import load_weights

__all__ = [
    "BuiltModel",
    "build_model",
    "choose_device",
    "import_torchvision",
    "leave_one_core_free",
    "load_weights",
    "to_device",
    "weights_fingerprint",
]
