"""Runs a network once and records every layer: its graph, its values, its attention and its kernels.

Names are imported on first use: the fold needs no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy_exports import lazy_exports

if TYPE_CHECKING:
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
    from .failures import one_line
    from .guard import evaluation_mode
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

__getattr__ = lazy_exports(
    __name__,
    {
        "NO_ABLATION": "ablation",
        "Ablation": "ablation",
        "ChannelsByLayer": "ablation",
        "RecordingInfo": "recorder",
        "channel_values": "ablation",
        "current_ablation": "ablation",
        "evaluation_mode": "guard",
        "model_kernels": "values.kernels",
        "one_line": "failures",
        "record": "recorder",
        "use_ablation": "ablation",
        "values_by_channel": "ablation",
        "zero_channels": "ablation",
    },
)
