"""Inputs of a network: files of many kinds, tokens and noise, their preprocessing, and what a network expects.

Modules that need torch, `input_adapter` and `pixels`, are imported by name.
"""

from .first_layer import argument_names
from .image_files import on_white, open_picture
from .preprocess import Preprocessing, denormalise, fit_picture
from .sample_drawing import draw_sample
from .sources import Input, NamedContent, Source, preprocess_picture, read_input, to_image
from .weights_metadata import class_list, input_facts, latent_shape

__all__ = [
    "Input",
    "NamedContent",
    "Preprocessing",
    "Source",
    "argument_names",
    "class_list",
    "denormalise",
    "draw_sample",
    "fit_picture",
    "input_facts",
    "latent_shape",
    "on_white",
    "open_picture",
    "preprocess_picture",
    "read_input",
    "to_image",
]
