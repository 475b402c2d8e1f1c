"""Data sets that inputs are chosen from: the shipped `concepts`, folders of images, archives of them, idx files."""

from .base import DataSet
from .open import open_data
from .selection import page_indices, random_indices, search_classes
from .thumbnails import make_thumbnails

__all__ = ["DataSet", "make_thumbnails", "open_data", "page_indices", "random_indices", "search_classes"]
