"""Reads the answers of a bridge: another program may listen there, so whatever comes is a value or a BridgeError."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..recording.errors import BridgeError, InnerwalkError, RecordingError, error_from_wire
from ..recording.files import parse_json
from ..recording.schema import JsonFields

STATES = ("waiting", "running", "done", "failed", "cancelled")
"""States of a job."""


@contextmanager
def readable(where: str) -> Iterator[None]:
    """Turn what is wrong with an answer that is read in the block into a BridgeError."""
    try:
        yield
    except (RecordingError, LookupError, TypeError, ValueError, AttributeError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise BridgeError(f"{where}: not an answer of innerwalk ({reason}); join a bridge of this version") from error


def reported_error(report: Any) -> InnerwalkError:
    """The error in a report {"kind", "text"}; a BridgeError for a report of any other form."""
    fields = report if isinstance(report, Mapping) else {}
    text = fields.get("text", "the bridge reports an error without a text")
    return error_from_wire(str(fields.get("kind")), str(text))


def read_refusal(body: bytes, where: str) -> InnerwalkError:
    """The error in the body of an answer whose status isn't 200."""
    try:
        return reported_error(parse_json(body)["error"])
    except (ValueError, KeyError, TypeError):
        return BridgeError(f"{where}: not a bridge of innerwalk")


def read_job(values: Any, where: str) -> dict[str, Any]:
    """The description of a job, with `id`, `step`, `state`, `share`, `told`, `error`, `error_kind` and `what`.

    Raises RecordingError.
    """
    fields = JsonFields(values, where)
    fields.integer("id")
    fields.integer("step")
    fields.choice("state", STATES)
    for name in ("told", "error", "error_kind"):
        fields.text(name, 1 << 16)
    share = fields.value["share"]
    if type(share) not in (int, float) or not 0 <= share <= 1:
        raise RecordingError(f"{where}: share must be 0 to 1")
    fields.plain("what")
    return fields.value


def check_description(description: dict[str, Any], where: str) -> None:
    """Raises RecordingError unless the lists of a bridge's description have entries with names, and jobs."""
    fields = JsonFields(description, where)
    for name in ("networks", "data", "methods", "films"):
        fields.items(name, lambda entry, place: JsonFields(entry, place).text("name"))
    fields.items("jobs", read_job)
    fields.text("device")
