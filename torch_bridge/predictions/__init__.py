"""Interprets the output of a network: classes, masks, boxes, images or numbers."""

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
