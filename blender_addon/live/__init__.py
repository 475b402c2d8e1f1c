"""The connection to a bridge: requests run in threads, and a timer shows their answers in halls.

`hall_requests`, `event_handlers` and `timer` need bpy; what is exported here doesn't.
"""

from .hall_state import HallState, VideoPlayback
from .link import Event, Link
from .requests import MethodRequest, Request
from .session import Session, current

__all__ = ["Event", "HallState", "Link", "MethodRequest", "Request", "Session", "VideoPlayback", "current"]
