"""Which frames of a film are rendered, and by whom."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from ...torch_bridge.recording.errors import InputError

MAX_WORKERS = 256


@dataclass(frozen=True)
class FilmJob:
    """Which frames are rendered, and by whom."""

    frames: Sequence[range] = ()
    """Numbers from 1; () for all."""
    workers: int | None = None
    """Processes of this machine; None for this one alone."""
    scheduler: str = ""
    """Address of a Dask scheduler whose workers render."""
    mixed: bool = False
    """Whether frames may come from several versions and graphics drivers, which differ by a few of 255."""

    def check(self) -> None:
        """Raises InputError for a job that can't be done; called before any work is."""
        if self.workers and self.scheduler:
            raise InputError("--workers and --scheduler: name one; a scheduler has workers of its own")
        if self.workers is not None and not 1 <= self.workers <= MAX_WORKERS:
            raise InputError(f"--workers {self.workers}: 1 to {MAX_WORKERS} can be started")
        if self.scheduler:
            check_scheduler(self.scheduler)


def check_scheduler(address: str) -> None:
    """Raises InputError for the address of a scheduler that is neither on this machine nor reached by TLS."""
    scheme, _, rest = address.rpartition("://")
    host = rest.rpartition(":")[0].strip("[]")
    if scheme not in ("", "tcp", "tls") or not host:
        raise InputError(f"scheduler {address[:80]!r}: write it like tls://host:8786, or tcp://127.0.0.1:8786")
    if scheme != "tls" and not _is_loopback(host):
        raise InputError(
            f"scheduler {address[:80]}: beyond this machine only tls:// is used, since whoever reaches one runs "
            "code on its workers; docs/farm.md says how to make certificates"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
