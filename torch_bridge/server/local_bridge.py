"""A bridge in this process: the same calls as over HTTP, answered by a service of this process."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ..client import Bridge
from ..client.frames import Frame
from .service import Service


class LocalBridge(Bridge):
    """A connection to a service of this process. Its answers share memory with the service: don't write to them."""

    def __init__(self, service: Service) -> None:
        super().__init__(0, "")
        self.service = service

    def new_connection(self) -> LocalBridge:
        """Another connection to the same service, for another thread."""
        return LocalBridge(self.service)

    def call(
        self, name: str, values: Mapping[str, Any], arrays: Mapping[str, np.ndarray] | None = None
    ) -> Iterator[Frame]:
        """Yields the frames of the answer. arrays: of any shape. Raises what the service raises."""
        plain = json.loads(json.dumps(values))  # a request is plain JSON, as over HTTP
        yield from self.service.calls[name](plain, dict(arrays or {}))
