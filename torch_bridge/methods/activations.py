"""Activations: the values of a layer for the input that is looked at."""

from __future__ import annotations

from collections.abc import Iterator

from ..method_support.method import Method, Step, MethodContext


def activations(work: MethodContext, parameters: None) -> Iterator[Step]:
    """The recorder's own maps, one run for all layers."""
    yield Step(0.0, "running the network")
    recording = work.record(work.arguments, work.layers)
    yield Step(1.0, "recorded", tuple(recording.all_maps.values()))


ACTIVATIONS = Method("activations", "Activations", "The values of each channel for the input.", activations)
