"""What attribution methods of a picture share: explained values, mean gradients, masks, attention, scores and tests."""

from .explained_values import EXPLAINED_HELP, Explained, ExplainedValues, explained_class, explained_layers
from .mean_gradients import GradientMean, attribute_means

__all__ = [
    "EXPLAINED_HELP",
    "Explained",
    "ExplainedValues",
    "GradientMean",
    "attribute_means",
    "explained_class",
    "explained_layers",
]
