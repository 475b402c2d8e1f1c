"""Imports torchvision, also where its compiled operators don't fit the installed torch.

PyPI's Linux wheel of torchvision is the CUDA build; with a CPU build of torch its compiled operators can't be loaded
and `import torchvision` fails. Only detection models need them, and only non-maximum suppression and RoI align, which
`torchvision_ops` has in Python. Call `import_torchvision()` before any import of torchvision.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from pathlib import Path
from typing import Any, Literal

from ..recording.errors import ModelError
from . import torchvision_ops

State = Literal["native", "shim", "absent"]

_lock = threading.Lock()
_state: list[State] = []
_libraries: list[object] = []  # kept, because a torch Library removes its operators when it is garbage-collected


def import_torchvision() -> State:
    """Make `import torchvision` work; returns "native", "shim" (operators replaced in Python), or "absent".

    Any thread may call it any number of times. Raises ModelError if torchvision is installed but broken otherwise.
    """
    with _lock:
        if not _state:
            _state.append(_prepare())
        return _state[0]


def _prepare() -> State:
    spec = importlib.util.find_spec("torchvision") if "torchvision" not in sys.modules else None
    if spec is None and "torchvision" not in sys.modules:
        return "absent"
    native = _has_nms() or (spec is not None and _load_operators(Path(str(spec.origin)).parent))
    if not native:
        _define_operators()
    try:
        importlib.import_module("torchvision")
    except Exception as error:  # mismatched versions of torch and torchvision may raise anything
        raise ModelError(f"torchvision is installed but can't be imported ({error}); {_install_hint()}") from error
    if not native:
        _patch_detection()
    return "native" if native else "shim"


def _install_hint() -> str:
    import torch

    return f"install the torchvision made for torch {torch.__version__}"


def _has_nms() -> bool:
    import torch

    return hasattr(torch.ops.torchvision, "nms")


def _load_operators(folder: Path) -> bool:
    """Load the compiled operators; returns False if they were built for another torch."""
    import torch

    for library in sorted([*folder.glob("_C*.so"), *folder.glob("_C*.pyd"), *folder.glob("_C*.dylib")]):
        try:
            torch.ops.load_library(str(library))
        except (OSError, ImportError):
            continue
        return True
    return False


def _define_operators() -> None:
    """Define the operators that `import torchvision` needs, with a working `nms`."""
    from torch.library import Library

    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]  # leftovers of the import that failed
    library = Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        library.define(name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    for device in ("CPU", "CUDA"):
        library.impl("nms", torchvision_ops.nms, device)
    _libraries.append(library)


def _patch_detection() -> None:
    """Make detection models skip the check for compiled operators and use RoI align in Python."""
    boxes: Any = importlib.import_module("torchvision.ops.boxes")
    roi_align: Any = importlib.import_module("torchvision.ops.roi_align")
    boxes._assert_has_ops = lambda: None
    roi_align._roi_align = torchvision_ops.roi_align
