"""Data sets that inputs are chosen from: the shipped `concepts`, folders of pictures, archives of them, idx files.

`data = open_data("photographs.zip")`, then `draw(data, 24, seed=0)` and `thumbnails(data, indices, 96)` for the shelf,
`data.picture(index)` for the network.
"""

from .base import DataSet
from .open import open_data
from .selection import random_indices, page_indices, search_classes
from .thumbnails import thumbnails

__all__ = ["DataSet", "random_indices", "open_data", "page_indices", "search_classes", "thumbnails"]
