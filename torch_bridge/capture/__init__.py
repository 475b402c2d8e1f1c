"""Runs a network once and records every layer: its graph, its values, its attention and its kernels."""

from .ablation import (
    NO_ABLATION,
    Ablation,
    ChannelsByLayer,
    channel_values,
    current_ablation,
    use_ablation,
    values_by_channel,
    zero_channels,
)
from .guard import evaluation_mode, one_line
from .recorder import RecordingInfo, record
from .values.kernels import model_kernels

__all__ = [
    "NO_ABLATION",
    "Ablation",
    "ChannelsByLayer",
    "RecordingInfo",
    "channel_values",
    "current_ablation",
    "evaluation_mode",
    "model_kernels",
    "one_line",
    "record",
    "use_ablation",
    "values_by_channel",
    "zero_channels",
]
