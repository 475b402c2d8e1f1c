"""`innerwalk names`: what people have named the units of a network, how far they agree, and what a dissection found."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from ...blender_addon.naming.agreement import SEMANTIC, UnitAgreement, agree, mean_kappa, pair_agreements
from ...blender_addon.naming.unit_names import UnitName, check_raters, newest_names, read_names, write_names
from ...blender_addon.output.output_files import replaced
from ...blender_addon.plans.number_text import format_count
from ...torch_bridge.recording.csv_tables import csv_text
from ...torch_bridge.recording.errors import InputError
from ...torch_bridge.recording.files import failure_text, parse_json, read_file
from ..options.argument_values import place

EXAMPLES = """\
examples
  innerwalk names ann.jsonl ben.jsonl
  innerwalk names ann.jsonl ben.jsonl --dissected dissected -o units.csv
  innerwalk names ann.jsonl ben.jsonl --find lamp
  innerwalk names ann.jsonl ben.jsonl -o both.jsonl
"""
SUMMARY, MAX_SUMMARY = "summary.json", 64 << 20
"""File of a dissection that names its tables, and its largest size in bytes."""
MOST_PAIRS = 10
"""Pairs of people whose agreement has a line of its own."""
HEAD = ("layer", "unit", "word", "category", "agree", "fit", "dissection")


def add_names(sub: argparse.ArgumentParser) -> None:
    """Adds the options of `names`."""
    sub.add_argument("files", type=Path, nargs="+", metavar="FILE.jsonl", help="names that people have given to units")
    sub.add_argument("--find", metavar="WORD", default="", help="only units with this word in a name")
    sub.add_argument("--dissected", type=Path, metavar="DIR", help="folder of a dissection, whose labels stand beside")
    sub.add_argument(
        "-o", "--output", type=place, metavar="FILE", help=".csv: the table; .jsonl: all names in one file"
    )


def summarise_names(options: argparse.Namespace) -> list[str]:
    """Returns a table of units as lines, and how far people agree; writes the output file if there is one.

    Raises InputError or SceneError.
    """
    names = _read(options.files)
    found = _find(names, options.find)
    units = [unit for unit in agree(names) if (unit.layer, unit.unit) in found]
    if not units:
        raise InputError(f"no unit with {options.find!r} in its name")
    labels = _read_labels(options.dissected, {unit.layer for unit in units}) if options.dissected else {}
    rows = [_row(unit, labels) for unit in units]
    lines = [*_aligned([HEAD, *rows]), "", *_agreement(names, units)]
    if options.output:
        suffix = options.output.suffix.lower()
        if suffix not in (".csv", ".jsonl"):
            raise InputError(f"{options.output}: the name of the output must end in .csv or .jsonl")
        with replaced(options.output, suffix) as part:
            part.write_text(csv_text([HEAD, *rows]) if suffix == ".csv" else write_names(names), encoding="utf-8")
        lines.append(f"saved {options.output}")
    return lines


def _read(files: Sequence[Path]) -> list[UnitName]:
    names = [(path, name) for path in files for name in read_names(path)]
    if not names:
        raise InputError(f"{files[0]}: no name in it")
    first, network = names[0][0], names[0][1].network
    for path, name in names:
        if name.network != network:
            raise InputError(f"{path}: names of another network ({name.network}) than {first} ({network})")
    check_raters((name for _, name in names), str(first))
    return newest_names(name for _, name in names)


def _find(names: Sequence[UnitName], text: str) -> set[tuple[str, int]]:
    """Returns the places of the units with a text in a name, whatever its case."""
    return {name.place for name in names if text.casefold() in name.word.casefold()}


def _read_labels(folder: Path, layers: set[str]) -> Mapping[tuple[str, int], str]:
    """Returns the best concept with its IoU of each unit of these layers. Raises InputError."""
    from ...torch_bridge.dissection.tables import read_table

    try:
        summary = parse_json(read_file(folder / SUMMARY, MAX_SUMMARY))
        tables = {str(own["layer"]): folder / Path(str(own["table"])).name for own in summary["layers"]}
    except OSError as error:
        raise InputError(f"{folder / SUMMARY}: {failure_text(error)}; innerwalk dissect writes one") from None
    except (ValueError, TypeError, KeyError):
        raise InputError(f"{folder / SUMMARY}: not the summary of a dissection") from None
    found = {layer: read_table(tables[layer]) for layer in sorted(layers & tables.keys())}
    if not found:
        raise InputError(f"{folder}: none of the named layers was dissected there; its layers: {', '.join(tables)}")
    return {
        (layer, finding.unit): f"{finding.best.concept} {finding.best.iou:.2f}".replace(" 0.", " .")
        for layer, findings in found.items()
        for finding in findings
        if finding.best.concept
    }


def _row(unit: UnitAgreement, labels: Mapping[tuple[str, int], str]) -> tuple[str, ...]:
    fit = "" if math.isnan(unit.precision) else f"{unit.precision:.0%}"
    agreeing = f"{unit.agreeing} of {unit.raters}"
    label = labels.get((unit.layer, unit.unit), "")
    return unit.layer, str(unit.unit), unit.word or "?", unit.category or "?", agreeing, fit, label


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _agreement(names: Sequence[UnitName], units: Sequence[UnitAgreement]) -> Iterator[str]:
    """Yields how many units were named by how many people, and how far they agree."""
    raters = sorted({name.rater for name in names})
    semantic = sum(unit.is_semantic for unit in units)
    yield f"{format_count(len(units), 'unit')} named by {', '.join(raters)}; {semantic} fit more than {SEMANTIC:.0%}"
    pairs = pair_agreements(names)
    for pair in pairs[:MOST_PAIRS]:
        shared = format_count(pair.units, "unit")
        yield f"{' and '.join(pair.raters)}: kappa of categories {_number(pair.kappa)} over {shared}"
    if len(pairs) > 1:
        yield f"mean kappa of {format_count(len(pairs), 'pair')}: {_number(mean_kappa(pairs))}"


def _number(kappa: float) -> str:
    return "undefined" if math.isnan(kappa) else f"{kappa:.2f}"
