"""Reads the connection file of a bridge: port and token, which only those who may read the file can use."""

from __future__ import annotations

from pathlib import Path

from ..recording.errors import BridgeError
from ..recording.files import failure_text, parse_json, read_file
from .frames import PROTOCOL

MAX_BYTES = 1 << 16
"""Bytes of a connection file."""


def read_connection(file: Path | str) -> tuple[int, str]:
    """Port and token in a connection file. Raises BridgeError."""
    try:
        content = parse_json(read_file(file, MAX_BYTES))
        port, token, protocol = content["port"], content["token"], content["protocol"]
    except OSError as error:
        raise BridgeError(f"{file}: can't be read ({failure_text(error)}); is the bridge running?") from None
    except (ValueError, KeyError, TypeError):
        raise BridgeError(f"{file}: not the connection file of a bridge") from None
    if not (type(port) is int and 0 < port < 1 << 16 and isinstance(token, str)):
        raise BridgeError(f"{file}: not the connection file of a bridge")
    if protocol != PROTOCOL:
        raise BridgeError(f"{file}: protocol {protocol}, this side speaks {PROTOCOL}; update the older")
    return port, token
