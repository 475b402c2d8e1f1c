"""A hall whose network runs in this process, without a bridge."""

from __future__ import annotations

from typing import TypeVar

Self = TypeVar("Self", bound="InProcessHall")
