"""A hall whose network runs in this process, without a bridge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from ..blender_addon import actions
from ..blender_addon.live.bridge_connection import BridgeConnection
from ..blender_addon.live.session import current
from ..blender_addon.properties import NETWORK_NAME
from ..blender_addon.scripting import Hall
from ..torch_bridge.recording.arguments import checked_arguments
from ..torch_bridge.recording.errors import BridgeError, ModelError

Self = TypeVar("Self", bound="InProcessHall")
