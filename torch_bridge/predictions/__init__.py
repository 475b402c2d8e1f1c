"""Interprets the output of a network: classes, masks, boxes, images or numbers.

Names are imported on first use: boxes and class names need no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy_exports import lazy_exports

if TYPE_CHECKING:
    from .boxes import Box, box_in_input, find_box, largest_part
    from .class_names import ClassNames, find_class_names, read_class_names
    from .classes import PREDICTED, ScoredClass, class_layer, class_scores, find_class, probabilities
    from .outputs import interpret_output, main_tensor

__all__ = [
    "PREDICTED",
    "Box",
    "ClassNames",
    "ScoredClass",
    "box_in_input",
    "class_layer",
    "class_scores",
    "find_box",
    "find_class",
    "find_class_names",
    "interpret_output",
    "largest_part",
    "main_tensor",
    "probabilities",
    "read_class_names",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "PREDICTED": "classes",
        "Box": "boxes",
        "ClassNames": "class_names",
        "ScoredClass": "classes",
        "box_in_input": "boxes",
        "class_layer": "classes",
        "class_scores": "classes",
        "find_box": "boxes",
        "find_class": "classes",
        "find_class_names": "class_names",
        "interpret_output": "outputs",
        "largest_part": "boxes",
        "main_tensor": "outputs",
        "probabilities": "classes",
        "read_class_names": "class_names",
    },
)
