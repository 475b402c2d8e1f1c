"""Directions in the values of a layer: pictures of a concept, linear probes, and how classes depend on a direction."""

from .class_sensitivity import ClassSensitivity
from .concept_pictures import ConceptPictures, find_concept_pictures
from .linear_probe import LinearProbe, ProbeFit

__all__ = ["ClassSensitivity", "ConceptPictures", "LinearProbe", "ProbeFit", "find_concept_pictures"]
