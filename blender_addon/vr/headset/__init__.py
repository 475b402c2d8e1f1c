"""A walk with an OpenXR headset."""

from .bindings import BUTTON_ACTIONS, FLIGHTS, HANDS, ButtonAction, StickFlight, component_paths

__all__ = ["BUTTON_ACTIONS", "FLIGHTS", "HANDS", "ButtonAction", "StickFlight", "component_paths"]
