"""Writes and reads tables of units in the columns of the authors' code: one row a unit, the best one first."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ..recording.csv_tables import csv_text, read_records
from ..recording.errors import InputError
from ..recording.files import failure_text, read_file
from .findings import ConceptMatch, UnitFinding

FIELDS = ("label", "truth", "activation", "intersect", "iou")
MAX_TABLE = 64 << 20
"""Bytes of a table."""


def write_table(findings: Sequence[UnitFinding]) -> str:
    """Returns findings as CSV."""
    categories = list(findings[0].matches) if findings else []
    head = [f"{category}-{field}" for category in categories for field in FIELDS]
    rows: list[list[object]] = [["unit", "category", "label", "score", *head]]
    for finding in sorted(findings, key=lambda finding: (-finding.best.iou, finding.unit)):
        row: list[object] = [finding.unit, finding.category, finding.best.concept, finding.best.iou]
        for match in finding.matches.values():
            row += [match.concept, match.truth, match.activation, match.intersect, match.iou]
        rows.append(row)
    return csv_text(rows)


def read_table(path: Path) -> list[UnitFinding]:
    """Reads a table, of ours or of the authors. Raises InputError."""
    try:
        text = read_file(path, MAX_TABLE).decode("utf-8")
        return list(_findings(list(read_records(text))))
    except OSError as error:
        raise InputError(f"{path}: {failure_text(error)}") from None
    except (UnicodeDecodeError, csv.Error, ValueError, KeyError, TypeError, AttributeError, OverflowError):
        raise InputError(f"{path}: not a table of units; innerwalk dissect writes them") from None


def _findings(rows: Sequence[Mapping[str, str]]) -> Iterator[UnitFinding]:
    categories = [name.removesuffix("-iou") for name in rows[0] if name.endswith("-iou")] if rows else []
    if not categories:
        raise ValueError("no category")
    for row in rows:
        matches = {}
        for category in categories:
            name, *numbers = (row[f"{category}-{field}"] for field in FIELDS[:-1])
            truth, activation, intersect = (int(float(number)) for number in numbers)
            matches[category] = ConceptMatch(name, truth, activation, intersect)
        yield UnitFinding(int(row["unit"]), matches)
