"""Activations: the values A_k(y, x) of each channel k of a layer for the current input."""

from __future__ import annotations

from collections.abc import Iterator

from ..method_support.method import Method, MethodContext, Step


def activations(context: MethodContext, parameters: None) -> Iterator[Step]:
    """Records the network once. Maps: (C, H, W) in the layer's own units; attention maps come beside them."""
    yield Step(0.0, "running the network")
    recording = context.record(context.arguments, context.layers)
    yield Step(1.0, "recorded", tuple(recording.all_maps.values()))


ACTIVATIONS = Method("activations", "Activations", "The values of each channel for the current input.", activations)
