"""What kinds of things units are named after."""

CATEGORIES = (
    "scene",
    "region or surface",
    "object",
    "object part",
    "texture or material",
    "simple elements or colours",
)
"""From the most abstract to the simplest: the categories that people chose from in Zhou et al. 2015."""
