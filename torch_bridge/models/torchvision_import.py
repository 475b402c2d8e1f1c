"""torchvision, whichever way it is installed.

PyPI's Linux wheel of torchvision is the CUDA build; beside a CPU torch its compiled operators can't be loaded and
`import torchvision` fails. Nothing here needs those operators but detection models, and they only non-maximum
suppression and RoI align, for which Python does. Everybody who wants torchvision calls `import_torchvision()` first.
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
_libraries: list[object] = []  # a torch Library takes its operators with it when it is collected


def import_torchvision() -> State:
    """Make `import torchvision` work in this process: "native", "shim" (operators replaced), or "absent".

    Safe to call from any thread, any number of times. Raises ModelError if it is installed but broken otherwise.
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
    except Exception as error:  # whatever a half-matching pair of packages raises, it is one message to a person
        raise ModelError(f"torchvision is installed but can't be imported ({error}); {_versions()}") from error
    if not native:
        _patch_detection()
    return "native" if native else "shim"


def _versions() -> str:
    import torch

    return f"install the torchvision made for torch {torch.__version__}"


def _has_nms() -> bool:
    import torch

    return hasattr(torch.ops.torchvision, "nms")


def _load_operators(folder: Path) -> bool:
    """Load the compiled operators; False when they were built for another torch."""
    import torch

    for library in sorted([*folder.glob("_C*.so"), *folder.glob("_C*.pyd"), *folder.glob("_C*.dylib")]):
        try:
            torch.ops.load_library(str(library))
        except (OSError, ImportError):
            continue
        return True
    return False


def _define_operators() -> None:
    """Declare the operators that `import torchvision` looks for, with `nms` working."""
    from torch.library import Library

    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]  # what an import that failed half-way has left
    library = Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        library.define(name + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    for device in ("CPU", "CUDA"):
        library.impl("nms", torchvision_ops.nms, device)
    _libraries.append(library)


def _patch_detection() -> None:
    """Let detection models pass the check for compiled operators, and align regions without them."""
    boxes: Any = importlib.import_module("torchvision.ops.boxes")
    roi_align: Any = importlib.import_module("torchvision.ops.roi_align")
    boxes._assert_has_ops = lambda: None
    roi_align._roi_align = torchvision_ops.roi_align
