"""The inputs and outputs of a network, each as what a board needs to be drawn without torch.

    kind                 values (rows, columns)                              labels    pixels (n, H, W, 3)
    picture                                                                            n pictures
    mask                 output: (classes, 2): class, share of the picture   classes   n, white or over the input
    flow                 (1, 1): length of the longest vector in pixels                n fields: hue is direction
    volume                                                                             n slices along `axis`
    spectrogram                                                                        low below, time to the right
    tokens               (n, 3): place in the sequence, token, probability   words
    waveform             (2 C, n): rows 2 c and 2 c + 1 are the least and
                         the largest value of channel c in n stretches
    graph                (nodes, features), or (2, edges) of node numbers    rows
    numbers, embedding   (rows, columns), an embedding a row                 rows
    sequence             (steps, features), time downwards
    classes              (n, 2): class, probability, the best first          classes
    boxes                (n, 5): score, x0, y0, x1, y1 as shares 0..1        classes
    none                 nothing that can be drawn

Large values are shown in part, which the note says. A place of an output's tokens may have several rows, best first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

SharedKind = Literal["picture", "mask", "flow", "volume", "spectrogram", "tokens", "waveform", "numbers", "none"]
InputKind = Literal[SharedKind, "graph"]
OutputKind = Literal[SharedKind, "embedding", "sequence", "classes", "boxes"]
EndpointKind = Literal[InputKind, OutputKind]
PIXEL_KINDS: tuple[EndpointKind, ...] = ("picture", "mask", "flow", "volume", "spectrogram")
"""Kinds that are drawn from pixels."""
COLUMNS: dict[EndpointKind, int] = {"tokens": 3, "classes": 2, "boxes": 5}
"""Kinds whose values have a fixed number of columns."""
MAX_ENDPOINTS = 64
"""Largest number of inputs, and of outputs; a network's further outputs share the last place."""
MAX_VALUES = 4096
"""Largest number of values of an endpoint."""
AXES = 3
"""Axes of a volume."""
MAX_PICTURES = 1024
"""Largest number of pictures of an endpoint."""
MAX_PIXELS = 1 << 26
"""Largest number of pixels of an endpoint, of all its pictures together."""


@dataclass(frozen=True)
class Endpoint:
    """An input or an output of a network, as its board shows it; the module's docstring lists the arrays by kind."""

    layer: str
    """Id of its layer in the network, of role "input" or "output": the edges of that layer are those of the board."""
    name: str
    """Name of the argument, or the way to the value in the output: `input_ids`, `logits`, `heads.boxes`, `[1]`."""
    kind: EndpointKind
    shape: tuple[int, ...] = ()
    """Shape of the tensor as the network takes or returns it, the batch axis included."""
    dtype: str = ""
    """Its dtype as torch calls it, such as "float32"."""
    source: str = ""
    """Inputs: where the values come from, such as the name of a file."""
    note: str = ""
    """What was done to the values, or which part of them is shown."""
    over: str = ""
    """Outputs: id of the layer of the picture that boxes refer to, or that masks are drawn over."""
    labels: tuple[str, ...] = ()
    """A label for each row of `values`, or ()."""
    values: np.ndarray | None = None
    """(rows, columns) float32."""
    pixels: np.ndarray | None = None
    """(n, H, W, 3) uint8 sRGB, top row first."""
    axis: int = 0
    """Volumes: the axis, 0 to 2, that the slices are along."""
