"""Parts that several methods share: gradients, passes over data sets, class activation maps, shares of scores."""

from .box_accuracy import BoxAccuracy, BoxResult, evaluate_picture
from .box_drawing import FOUND_COLOUR, TRUE_COLOUR, draw_boxes
from .maximisation_parameters import MaximisationParameters
from .maximisation_run import MaximisationRun
from .object_finder import THRESHOLD, Detection, FrameDetection, ObjectFinder

__all__ = [
    "FOUND_COLOUR",
    "THRESHOLD",
    "TRUE_COLOUR",
    "BoxAccuracy",
    "BoxResult",
    "Detection",
    "FrameDetection",
    "MaximisationParameters",
    "MaximisationRun",
    "ObjectFinder",
    "draw_boxes",
    "evaluate_picture",
]
