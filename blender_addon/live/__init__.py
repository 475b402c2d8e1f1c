"""The connection to a bridge: requests run in threads, and a timer shows their answers in halls.

`hall_requests`, `bridge_events` and `timer` need bpy; what is exported here doesn't.
"""

from .bridge_connection import BridgeConnection, Event
from .hall_state import HallState, VideoPlayback
from .request_types import MethodRequest, Request
from .session import Session, current

__all__ = ["BridgeConnection", "Event", "HallState", "MethodRequest", "Request", "Session", "VideoPlayback", "current"]
