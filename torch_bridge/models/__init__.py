"""Builds networks by name, factory or exported program, loads weights and chooses a device.

Names are imported on first use: what a model is called can be read without torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy_exports import lazy_exports

if TYPE_CHECKING:
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

__getattr__ = lazy_exports(
    __name__,
    {
        "BuiltModel": "build",
        "build_model": "build",
        "choose_device": "device",
        "import_torchvision": "torchvision_import",
        "leave_one_core_free": "device",
        "load_weights": "weights",
        "to_device": "device",
        "weights_fingerprint": "fingerprint",
    },
)
