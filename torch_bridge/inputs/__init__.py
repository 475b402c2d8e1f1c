"""Inputs of a network: image files, arrays and noise, their preprocessing, and what a network expects."""

from .image_files import on_white, open_picture
from .preprocess import Preprocessing, fit_picture
from .sources import Input, NamedContent, Source, draw_sample, preprocess_picture, read_input

__all__ = [
    "Input",
    "NamedContent",
    "Preprocessing",
    "Source",
    "draw_sample",
    "fit_picture",
    "on_white",
    "open_picture",
    "preprocess_picture",
    "read_input",
]
