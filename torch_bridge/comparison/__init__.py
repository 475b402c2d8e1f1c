"""Networks compared with each other: checkpoints of a training run, before and after fine-tuning, architectures."""

from .assignment import best_pairs
from .similarity import cka_matrix, linear_cka

__all__ = ["best_pairs", "cka_matrix", "linear_cka"]
