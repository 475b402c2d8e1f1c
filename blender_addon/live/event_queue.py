"""Events that Blender's side queues for itself: to be shown next, in order, or at a time. No bpy here."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable

from .bridge_connection import Event


class EventQueue:
    """Events to show before those of the bridge, and calls that are due at a time."""

    def __init__(self) -> None:
        self._queue: deque[Event] = deque()
        """Events to show before those of the bridge."""
        self._schedule: dict[int, tuple[float, Callable[[], None]]] = {}
        """By the `session_uid` of a hall's scene: (time by `time.monotonic`, function to call then)."""

    def next_queued(self) -> Event | None:
        """Returns the event to show next: those queued, then calls that are due; None if there is none."""
        if self._queue:
            return self._queue.popleft()
        uid = min(self._schedule, key=lambda uid: self._schedule[uid][0], default=None)
        if uid is not None and self._schedule[uid][0] <= time.monotonic():
            return Event("call", "", self._schedule.pop(uid)[1])
        return None

    def queue(self, *events: Event) -> None:
        """Shows these events after those queued before."""
        self._queue.extend(events)

    def show_next(self, *events: Event) -> None:
        """Shows these events, in this order, before all others."""
        self._queue.extendleft(reversed(events))

    def queue_calls(self, calls: Iterable[Callable[[], None]]) -> None:
        """Calls these functions one after the other, between other events."""
        self.queue(*(Event("call", "", call) for call in calls))

    def schedule(self, uid: int, when: float, call: Callable[[], None]) -> None:
        """Calls a function for a hall at a time by `time.monotonic`, and none that was scheduled for it before."""
        self._schedule[uid] = when, call

    def drop_scheduled(self, uid: int) -> None:
        """Drops the call that is scheduled for a hall, if there is one."""
        self._schedule.pop(uid, None)

    def clear_queue(self) -> None:
        """Drops the events that were queued here."""
        self._queue.clear()

    @property
    def has_queued(self) -> bool:
        """Whether an event waits that was queued here."""
        return bool(self._queue)

    @property
    def has_scheduled(self) -> bool:
        """Whether a call is scheduled."""
        return bool(self._schedule)
