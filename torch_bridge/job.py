"""One `innerwalk record` from end to end: model, weights, preprocessing, input, run, answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .recording import Recording

Progress = Callable[[str, float], None]
"""Called with what is being done and how much of the whole is done, 0..1."""


@dataclass(frozen=True)
class RecordSpec:
    """Everything a person can say about one recording; what is None is found out."""

    model: str
    """A torchvision name, `package.module:factory`, or a `.pt2` file."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """Keyword arguments of the factory."""
    weights: str | None = None
    """A `.safetensors` file, a `weights_only` checkpoint, "DEFAULT" (download), or None: random."""
    classes: str | None = None
    """A JSON file: a list of names, or index -> name."""
    inputs: Sequence[str] = ()
    """Image files, `.npy` files or `noise:SEED`, one for each argument of the model."""
    layers: Sequence[str] = ("*",)
    """Globs over layer ids, or "panels"."""
    size: tuple[int, int] | None = None
    """(height, width) in pixels of what the network gets."""
    crop: float | None = None
    """Share of the picture's middle that is kept, 0..1; 1 is the whole picture."""
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    channels: int | None = None
    """1 grey, 3 RGB, 4 RGBA."""
    interpolation: str | None = None
    """nearest, bilinear, bicubic, lanczos, box or hamming."""
    index: int = 0
    """Which sample, where the input is a batch."""
    grid: tuple[int, int] | None = None
    """Rows and columns of tokens, where they can't be inferred."""
    seed: int = 0
    weights_maps: bool = False
    """Record the kernels of convolutions too."""
    name: str | None = None
    """The network's name on its title board."""


def record_from(spec: RecordSpec, progress: Progress | None = None) -> Recording:
    """Do the whole job. Raises InputError, ModelError or UnknownName, each with one line for a person."""
    raise NotImplementedError
