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
from typing import TYPE_CHECKING, Literal

import numpy as np

from .errors import ModelError

if TYPE_CHECKING:
    import torch

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
        library.impl("nms", nms, device)
    _libraries.append(library)


def _patch_detection() -> None:
    """Let detection models pass the check for compiled operators, and take RoI align without a compiler."""
    boxes = importlib.import_module("torchvision.ops.boxes")
    roi_align = importlib.import_module("torchvision.ops.roi_align")
    boxes._assert_has_ops = lambda: None
    plain = getattr(roi_align._roi_align, "__wrapped__", None)
    if plain is not None:  # wrapped in torch.compile: 26 s for the first call
        roi_align._roi_align = plain


def nms(boxes: torch.Tensor, scores: torch.Tensor, threshold: float) -> torch.Tensor:
    """Greedy non-maximum suppression: boxes (N, 4) as x0 y0 x1 y1, scores (N,) -> kept indices, best first.

    Same as torchvision.ops.nms: a box goes if its overlap (IoU) with a better kept one is above `threshold`.
    """
    import torch

    order = torch.argsort(scores, descending=True, stable=True)
    corners = boxes[order].detach().float().cpu().numpy()
    kept = _suppress(corners, threshold)
    return order[torch.from_numpy(kept).to(order.device)]


def _suppress(corners: np.ndarray, threshold: float) -> np.ndarray:
    """(N, 4) float32, best first -> indices kept. numpy: a loop of small steps costs a fifth of torch's."""
    area = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
    left = np.arange(len(corners))
    kept = []
    while left.size:
        best, left = left[0], left[1:]
        kept.append(best)
        low = np.maximum(corners[best, :2], corners[left, :2])
        high = np.minimum(corners[best, 2:], corners[left, 2:])
        shared = np.clip(high - low, 0, None).prod(1)
        with np.errstate(invalid="ignore", divide="ignore"):  # two empty boxes overlap by 0/0: both stay
            overlap = shared / (area[best] + area[left] - shared)
        left = left[~(overlap > threshold)]
    return np.asarray(kept, np.int64)
