"""Names of unfinished files tell which process writes them, so that the next run can remove those of a killed one."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import socket
from pathlib import Path

NAME = re.compile(r"\.part-([0-9]{1,9})-([0-9]*)-([0-9a-f]{8})-.*", re.DOTALL)


def part_prefix() -> str:
    """What the name of an unfinished file of this process begins with: process, its start, this machine."""
    return f".part-{os.getpid()}-{process_start(os.getpid())}-{_machine()}-"


def process_start(process: int) -> str:
    """When a process started, in ticks since the machine did; "" where that can't be known."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return fields[19] if len(fields) > 19 else ""


def is_running(process: int, start: str) -> bool:
    """Whether a process of this machine that has started then still runs; True where that can't be known."""
    if os.name != "posix" or process <= 0:
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # another user's process
        return True
    return not start or process_start(process) in ("", start)


def remove_stale_parts(folder: Path) -> None:
    """Remove the unfinished files and folders of processes of this machine that have ended."""
    for name in os.listdir(folder):
        found = NAME.fullmatch(name)
        if found is None or found[3] != _machine() or is_running(int(found[1]), found[2]):
            continue
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def has_parts(folder: Path) -> bool:
    """Whether there are unfinished files in a folder."""
    return any(map(NAME.fullmatch, os.listdir(folder)))


def _machine() -> str:
    return hashlib.blake2b(socket.gethostname().encode(errors="replace"), digest_size=4).hexdigest()
