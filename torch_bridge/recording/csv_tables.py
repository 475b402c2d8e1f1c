"""Writes and reads tables as CSV whose texts no spreadsheet takes for formulas.

A spreadsheet runs a cell that begins with one of FORMULA_SIGNS, also one that names a program. Such a text, which may
be a stranger's, is written behind an apostrophe, as spreadsheets do themselves; reading takes it away.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping

FORMULA_SIGNS = "=+-@\t\r\n＝＋－＠"
"""Characters that begin a formula, and those that a spreadsheet skips; the last four in Japanese and Chinese ones."""


def csv_text(rows: Iterable[Iterable[object]]) -> str:
    """Returns rows as CSV; texts that could be formulas behind an apostrophe, numbers as Python writes them.

    None is an empty cell.
    """
    return "".join(map(_line, rows))


def records_text(records: Iterable[Mapping[str, object]]) -> str:
    """Returns records with the same keys as CSV, as `csv_text`, with the keys in the first line; "" for none."""
    rows = list(records)
    return csv_text([rows[0], *(row.values() for row in rows)]) if rows else ""


def read_records(text: str) -> Iterator[dict[str, str]]:
    """Yields the rows of a table by its first line, with their texts as they were before `csv_text`.

    Raises csv.Error for text that is no CSV, and ValueError for rows that are longer or shorter than the first line.
    """
    head, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    keys = [_unescaped(key) for key in head]
    for row in filter(None, rows):
        yield dict(zip(keys, map(_unescaped, row), strict=True))


def _line(row: Iterable[object]) -> str:
    """Returns a row with its end. A cell is quoted where it holds any character of the writer's own line end."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([_plain(value) for value in row])
    return text.getvalue().removesuffix("\r\n") + "\n"


def _plain(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and _is_risky(value) else value


def _unescaped(text: str) -> str:
    return text[1:] if text.startswith("'") and _is_risky(text) else text


def _is_risky(text: str) -> bool:
    """Whether a text begins a formula, or has apostrophes before one, of which reading would take one away."""
    return text.lstrip("'")[:1] in FORMULA_SIGNS and bool(text.lstrip("'"))
