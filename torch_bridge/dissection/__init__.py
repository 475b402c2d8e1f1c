"""Network Dissection: which human concepts the units of a network detect (Bau et al. 2017)."""

from .findings import ConceptMatch, UnitFinding, count_detectors, find_concepts, unique_concepts
from .tables import read_table, write_table

__all__ = [
    "ConceptMatch",
    "UnitFinding",
    "count_detectors",
    "find_concepts",
    "read_table",
    "unique_concepts",
    "write_table",
]
