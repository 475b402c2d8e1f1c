"""Runs a network once and records every layer: its graph, its values, its attention and its kernels."""

from .ablation import NO_ABLATION, Ablation, ChannelsByLayer, current_ablation, use_ablation
from .recorder import RecordingInfo, record

__all__ = [
    "NO_ABLATION",
    "Ablation",
    "ChannelsByLayer",
    "RecordingInfo",
    "current_ablation",
    "record",
    "use_ablation",
]
