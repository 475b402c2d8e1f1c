"""Interface for a close look: clicking, the inspector, the value under the cursor."""

from . import inspector_panels, inspector_state, pick_operator, probe_operator

__all__ = ["inspector_panels", "inspector_state", "pick_operator", "probe_operator"]
