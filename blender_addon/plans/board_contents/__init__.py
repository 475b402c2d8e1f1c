"""What the boards of inputs and outputs show besides pictures: tokens, waveforms, bars, tables and maps of numbers."""

from .area import Area
from .mosaics import mosaic, split_mosaic
from .number_maps import add_cells, add_embeddings, add_table
from .tokens import Token, add_tokens
from .waveforms import add_waveform

__all__ = [
    "Area",
    "Token",
    "add_cells",
    "add_embeddings",
    "add_table",
    "add_tokens",
    "add_waveform",
    "mosaic",
    "split_mosaic",
]
