"""Imports torchvision, also where its compiled operators don't fit the installed torch.

PyPI's Linux wheel of torchvision is the CUDA build; with a CPU build of torch its compiled operators can't be loaded
and `import torchvision` fails. Only detection models need them, and only non-maximum suppression and RoI align, which
`torchvision_ops` has in Python. Call `import_torchvision()` before any import of torchvision.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from ..recording.errors import ModelError
from . import torchvision_ops

State = Literal["native", "shim", "absent"]

_lock = threading.RLock()
_state: list[State] = []
_native: list[bool] = []
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
    native = _provide_operators(spec)
    try:
        importlib.import_module("torchvision")
    except Exception as error:  # mismatched versions of torch and torchvision may raise anything
        raise ModelError(f"torchvision is installed but can't be imported ({error}); {_install_hint()}") from error
    if not native:
        _patch_detection()
    return "native" if native else "shim"


@contextmanager
def torchvision_on_demand() -> Iterator[None]:
    """Make `import torchvision` work in code of others that runs inside; costs nothing where none imports it."""
    finder = _OperatorsFirst()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        if "torchvision.models" in sys.modules:
            import_torchvision()


class _OperatorsFirst(importlib.abc.MetaPathFinder):
    """Provides torchvision's operators at the moment when something imports it, and finds no module itself."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> None:
        """Returns None, so that the module is found as usual."""
        if fullname == "torchvision":
            _provide_operators(importlib.machinery.PathFinder.find_spec(fullname))


def _provide_operators(spec: importlib.machinery.ModuleSpec | None) -> bool:
    """Loads the compiled operators, or defines them; returns whether they are torchvision's own. spec: the package."""
    if not _native:
        native = _has_nms() or (spec is not None and _load_operators(Path(str(spec.origin)).parent))
        if not native:
            _define_operators()
        _native.append(native)
    return _native[0]


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
