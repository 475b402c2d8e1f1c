"""What kinds of things units are named after, and after how many pictures."""

CATEGORIES = (
    "scene",
    "region or surface",
    "object",
    "object part",
    "texture or material",
    "simple elements or colours",
)
"""From the most abstract to the simplest: the categories that people chose from in Zhou et al. 2015."""
MAX_PICTURES = 1024
"""That a person is shown of one unit."""
