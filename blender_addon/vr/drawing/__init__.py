"""Draws text, boxes and lines of a walk with Blender's gpu module."""

from .canvas import Canvas, Colour, Span, size_for
from .gpu_draw import GpuState, Lines
from .textures import DoubleBuffer, PaintedCanvas

__all__ = ["Canvas", "Colour", "DoubleBuffer", "GpuState", "Lines", "PaintedCanvas", "Span", "size_for"]
